"""Signing asks for a fresh proof, which is the provider's to give: case A31, attack 26."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import httpx
import pytest
from lxml import html

from tests.service.identity.oidc.conftest import Opened
from tests.service.identity.oidc.trail import Since, count, rows, told
from tests.service.kit.accounts import browser
from tests.service.kit.fronts import API, Front
from tests.service.kit.idp import Idp, asked, at_provider, through, to_provider
from tests.service.kit.images import png

pytestmark = pytest.mark.anyio

AGAIN = "/auth/oidc/again"


@pytest.fixture
async def reader(door: Front, provider: Idp) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who signed in at the provider this morning."""
    provider.signed_in_at = time.time() - 3 * 3600
    async with browser(door) as client:
        assert (await through(client)).status_code == 303
        yield client


async def judged(client: httpx.AsyncClient) -> str:
    answer = await client.post(API, content=png(), headers={"Content-Type": "image/png"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def sign(client: httpx.AsyncClient, id: str) -> httpx.Response:
    return await client.post(
        f"/results/{id}/reviews", data={"action": "sign", "reason": "seen by me"}
    )


async def test_a31_a_signature_after_a_fresh_sign_in(
    door: Front, provider: Idp, reader: httpx.AsyncClient
) -> None:
    """Case A31."""
    id = await judged(reader)
    page = await reader.get(f"/results/{id}")
    (again,) = html.fromstring(page.text).xpath("//a[contains(@href, '/again')]/@href")
    assert again == f"{AGAIN}?next=/results/{id}"
    assert 'type="password"' not in page.text
    refused = await sign(reader, id)
    assert refused.status_code == 403
    assert ">seen by me</textarea>" in refused.text
    by_api = await reader.post(f"{API}/{id}/reviews", json={"action": "sign"})
    assert (by_api.status_code, by_api.json()["code"]) == (403, "sign_in_again")
    before = reader.cookies["osteoserve"]
    address = await to_provider(reader, f"/results/{id}", AGAIN)
    assert {"prompt": "login", "max_age": "0"}.items() <= asked(address).items()
    back = await reader.get(await at_provider(address))
    assert (back.status_code, back.headers["location"]) == (303, f"/results/{id}")
    assert reader.cookies["osteoserve"] != before
    assert (await told(door, "signed_in_again"))[-1] == {"how": "provider"}
    assert "/again" not in (await reader.get(f"/results/{id}")).text
    assert (await sign(reader, id)).status_code == 303
    (row,) = await rows(
        door, "SELECT reviewer, method FROM review ORDER BY created_at DESC LIMIT 1"
    )
    assert tuple(row) == ("Ann Clinician", "provider")
    async with browser(door, cookies={"osteoserve": before}) as old:
        assert (await old.get(API)).status_code == 401


async def test_a31_a_first_sign_in_of_just_now_is_fresh(door: Front, provider: Idp) -> None:
    async with browser(door) as client:
        assert (await through(client)).status_code == 303
        id = await judged(client)
        assert (await sign(client, id)).status_code == 303


async def test_a31_without_auth_time_nothing_is_fresh(door: Front, provider: Idp) -> None:
    """Attack 26: ``iat`` is fresh, and says nothing of when they proved who they are."""
    provider.says_auth_time = False
    async with browser(door) as client:
        assert (await through(client)).status_code == 303
        id = await judged(client)
        assert (await sign(client, id)).status_code == 403
        since = await Since.now(door)
        answer = await through(client, f"/results/{id}", AGAIN)
        assert answer.status_code == 403
        assert "auth_time" in answer.text
        assert await since.refused() == ["stale"]
        assert await since.nobody_came()
        # They are signed in as before, and sign nothing.
        assert (await client.get(API)).status_code == 200
        assert (await sign(client, id)).status_code == 403


@pytest.mark.parametrize("seconds", [601, 120, 3 * 3600])
async def test_a31_a_provider_that_has_not_asked_again(
    door: Front, provider: Idp, reader: httpx.AsyncClient, seconds: int
) -> None:
    """Attack 26: it ignores ``prompt`` and ``max_age``, or somebody has taken them out."""
    id = await judged(reader)
    provider.claims["auth_time"] = int(time.time()) - seconds
    assert (await through(reader, "/", AGAIN)).status_code == 403
    assert (await sign(reader, id)).status_code == 403


async def test_a31_what_is_taken_out_of_the_address(
    door: Front, provider: Idp, reader: httpx.AsyncClient
) -> None:
    address = await to_provider(reader, "/", AGAIN)
    shorter = address.replace("&prompt=login", "").replace("&max_age=0", "")
    assert (await reader.get(await at_provider(shorter))).status_code == 403


async def test_a31_fresh_is_over_after_minutes(opened: Opened, own: Idp) -> None:
    """Five by setting: an ``auth_time`` of four is fresh, of six is not."""
    for minutes, status in ((4, 303), (6, 403)):
        own.signed_in_at = time.time() - 60 * minutes
        async with opened() as front, browser(front) as client:
            assert (await through(client)).status_code == 303
            assert (await sign(client, await judged(client))).status_code == status


async def test_a31_somebody_else_comes_back(
    door: Front, provider: Idp, reader: httpx.AsyncClient
) -> None:
    mine = provider.sub
    for other in (f"{mine}-colleague", f"{mine}-stranger"):
        provider.sub = other
        if other.endswith("colleague"):
            async with browser(door) as client:
                assert (await through(client)).status_code == 303
        since = await Since.now(door)
        answer = await through(reader, "/", AGAIN)
        assert answer.status_code == 403
        assert "Somebody else has signed in" in answer.text
        assert await since.refused() == ["other_person"]
        assert await since.nobody_came()
    assert (await reader.get(API)).status_code == 200


async def test_the_site_stays(door: Front, provider: Idp, reader: httpx.AsyncClient) -> None:
    provider.claims["groups"] = ["dxa-clinicians", "north"]
    assert (await through(reader, "/", AGAIN)).status_code == 303
    assert (await reader.post("/account/site", data={"site": "north"})).status_code == 303
    assert (await through(reader, "/", AGAIN)).status_code == 303
    (row,) = await rows(door, "SELECT site FROM session WHERE idp_sub = :sub", sub=provider.sub)
    assert row.site == "north"


async def test_a_proof_that_outlives_the_session_is_a_sign_in(
    door: Front, provider: Idp, reader: httpx.AsyncClient
) -> None:
    address = await to_provider(reader, "/history", AGAIN)
    kept = {cookie.name: cookie.value for cookie in reader.cookies.jar if "-flow-" in cookie.name}
    await reader.post("/signout")
    before = await count(door, "session")
    async with browser(door, cookies=kept) as client:
        answer = await client.get(await at_provider(address))
        assert (answer.status_code, answer.headers["location"]) == (303, "/history")
    assert await count(door, "session") == before + 1


async def test_nobody_is_asked_again_who_has_not_signed_in(door: Front, provider: Idp) -> None:
    async with browser(door) as client:
        answer = await client.get(AGAIN, params={"next": "/history"})
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/signin?next=")


async def test_there_is_no_password_to_change(reader: httpx.AsyncClient) -> None:
    assert "Change your password" not in (await reader.get("/account")).text
    new = "another sentence that is long"
    sent = {"old": "x", "password": new, "again": new}
    assert (await reader.post("/account/password", data=sent)).status_code == 401
