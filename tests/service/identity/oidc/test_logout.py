"""Signing out: told by the provider, and with it. Cases A24, A25, attacks 10 and 16."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from lxml import html
from sqlalchemy import update

from service.clock import now
from service.identity.oidc import arrivals
from service.storage.tables.identity import SessionRow
from tests.service.identity.oidc.conftest import Opened
from tests.service.identity.oidc.trail import count, reasons, rows, told
from tests.service.kit.accounts import browser, transactions
from tests.service.kit.fronts import Front
from tests.service.kit.idp import LOGOUT, Claims, Idp, asked, through

pytestmark = pytest.mark.anyio

API = "/api/v1/predictions"


async def send(opened: Front, token: str) -> httpx.Response:
    return await opened.client.post("/auth/oidc/logout", data={"logout_token": token})


async def is_in(client: httpx.AsyncClient) -> bool:
    answer = await client.get(API)
    assert answer.status_code in (200, 401)
    return answer.status_code == 200


async def test_a24_without_sid_every_session_of_the_person_ends(door: Front, provider: Idp) -> None:
    """Case A24 and attack 16."""
    mine, sid = provider.sub, provider.sid
    async with browser(door) as one, browser(door) as two, browser(door) as other:
        for client, in_session in ((one, sid), (two, f"{sid}-2")):
            provider.sid = in_session
            assert (await through(client)).status_code == 303
        provider.sub, provider.sid = f"{mine}-other", f"{sid}-3"
        assert (await through(other)).status_code == 303
        answer = await send(door, provider.token(provider.logout_claims(sub=mine)))
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["cache-control"] == "no-store"
        assert [await is_in(one), await is_in(two), await is_in(other)] == [False, False, True]
    assert (await told(door, "signed_out"))[-1] == {"by": "idp"}


async def test_sid_alone_ends_that_session(door: Front, provider: Idp) -> None:
    sid = provider.sid
    async with browser(door) as one, browser(door) as two:
        for client, in_session in ((one, sid), (two, f"{sid}-2")):
            provider.sid = in_session
            assert (await through(client)).status_code == 303
        token = provider.token(provider.logout_claims(sub=None, sid=sid))
        assert (await send(door, token)).status_code == 200
        assert [await is_in(one), await is_in(two)] == [False, True]


async def test_sub_and_sid_end_all_of_the_person(door: Front, provider: Idp) -> None:
    sid = provider.sid
    async with browser(door) as one, browser(door) as two:
        for client, in_session in ((one, sid), (two, f"{sid}-2")):
            provider.sid = in_session
            assert (await through(client)).status_code == 303
        assert (
            await send(door, provider.token(provider.logout_claims(sid=sid)))
        ).status_code == 200
        assert [await is_in(one), await is_in(two)] == [False, False]


@pytest.mark.parametrize("who", [{"sub": None, "sid": "nobody's"}, {"sub": "nobody's"}])
async def test_a24_of_somebody_unknown_nothing_ends(
    door: Front, provider: Idp, who: Claims
) -> None:
    """Case A24: 200, and nothing else."""
    async with browser(door) as client:
        assert (await through(client)).status_code == 303
        before = await count(door, "session")
        answer = await send(door, provider.token(provider.logout_claims(**who)))
        assert answer.status_code == 200
        assert await count(door, "session") == before
        assert await is_in(client)


async def test_attack_16_on_every_front(opened: Opened, own: Idp) -> None:
    """Attack 16."""
    async with opened() as one, opened() as two, browser(one) as client:
        assert (await through(client)).status_code == 303
        kept = {"Cookie": f"osteoserve={client.cookies['osteoserve']}"}
        async with browser(two, headers=kept) as there:
            assert await is_in(there)
            assert (await send(two, own.token(own.logout_claims()))).status_code == 200
            assert not await is_in(there)
        assert not await is_in(client)


async def test_with_entras_people_sub_is_still_what_is_named(opened: Opened, own: Idp) -> None:
    own.claims |= {"tid": "t", "oid": "o"}
    async with opened(oidc_subject_claims="tid,oid") as front, browser(front) as client:
        assert (await through(client)).status_code == 303
        assert (await send(front, own.token(own.logout_claims()))).status_code == 200
        assert not await is_in(client)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a nonce": ({"nonce": "n"}, "token_claims"),
    "no events": ({"events": None}, "token_claims"),
    "another event": ({"events": {"http://other": {}}}, "token_claims"),
    "an event that is no object": ({"events": {LOGOUT: True}}, "token_claims"),
    "no jti": ({"jti": None}, "token_claims"),
    "jti is a number": ({"jti": 1}, "token_claims"),
    "jti of 10 KB": ({"jti": "j" * 10_000}, "token_claims"),
    "neither sub nor sid": ({"sub": None}, "token_claims"),
    "sub is a number": ({"sub": 1}, "token_claims"),
    "sid is a list": ({"sid": ["a"]}, "token_claims"),
    "another audience": ({"aud": "other"}, "token_audience"),
    "another issuer": ({"iss": "https://other.example"}, "token_issuer"),
    "no iat": ({"iat": None}, "token_claims"),
    "old": ({"iat": 1, "exp": 9999999999}, "clock"),
    "over": ({"exp": 1}, "clock"),
    "of the future": ({"iat": 9999999999}, "clock"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_no_logout_token(door: Front, provider: Idp, name: str) -> None:
    changed, reason = REFUSED[name]
    async with browser(door) as client:
        assert (await through(client)).status_code == 303
        answer = await send(door, provider.token(provider.logout_claims(**changed)))
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
        assert answer.json()["error_description"] == reason
        assert answer.headers["cache-control"] == "no-store"
        assert await is_in(client)


async def test_refusals_are_in_the_trail(opened: Opened, own: Idp) -> None:
    async with opened() as front:
        await send(front, own.token(own.logout_claims(aud="other")))
        await send(front, "no token")
        assert await reasons(front, "logout_refused") == ["token_audience", "token_malformed"]
        for _ in range(30):
            assert (await send(front, "no token")).status_code == 400
        assert await count(front, "audit_event") < 15


async def test_attack_10_an_id_token_signs_nobody_out(door: Front, provider: Idp) -> None:
    """Attack 10, the reverse."""
    seen: list[Claims] = []
    real = provider.id_claims
    provider.id_claims = lambda code: seen.append(real(code)) or seen[-1]  # type: ignore[func-returns-value,method-assign]
    try:
        async with browser(door) as client:
            assert (await through(client)).status_code == 303
            assert (await send(door, provider.token(seen[-1]))).status_code == 400
            assert await is_in(client)
    finally:
        del provider.id_claims


async def test_a_message_is_obeyed_once(door: Front, provider: Idp) -> None:
    async with browser(door) as client:
        token = provider.token(provider.logout_claims(), {"typ": "logout+jwt"})
        assert (await through(client)).status_code == 303
        assert (await send(door, token)).status_code == 200
        assert not await is_in(client)
        # Signed in again, somebody who has kept the message cannot have them out.
        assert (await through(client)).status_code == 303
        again = await send(door, token)
        assert (again.status_code, again.json()["error_description"]) == (400, "logout_used")
        assert await is_in(client)


async def test_what_was_used_is_forgotten_when_it_is_too_old_anyway(
    door: Front, provider: Idp, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await send(door, provider.token(provider.logout_claims()))).status_code == 200
    assert await count(door, "used_token") >= 1
    later = now() + timedelta(minutes=20)
    monkeypatch.setattr("service.identity.oidc.logout.now", lambda: later)
    provider.ahead = 20 * 60
    assert (await send(door, provider.token(provider.logout_claims()))).status_code == 200
    assert await count(door, "used_token") == 1


async def test_no_browser_of_another_site_sends_it(door: Front, provider: Idp) -> None:
    token = provider.token(provider.logout_claims())
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = await door.client.post(
            "/auth/oidc/logout", data={"logout_token": token}, headers=headers
        )
        assert answer.status_code == 403


@pytest.mark.parametrize("column", ["ends_at", "seen_at"])
async def test_a25_a_session_ends_by_itself(door: Front, provider: Idp, column: str) -> None:
    """Case A25: where the provider's runs out by idleness it calls nobody."""
    async with browser(door) as client:
        assert (await through(client)).status_code == 303
        (row,) = await rows(
            door, "SELECT created_at, ends_at FROM session WHERE idp_sub = :sub", sub=provider.sub
        )
        assert row.ends_at > row.created_at
        past = {"ends_at": timedelta(seconds=1), "seen_at": timedelta(hours=1)}[column]
        statement = update(SessionRow).where(SessionRow.idp_sub == provider.sub)
        async with transactions(door.settings) as on:
            await on.write(
                lambda one: one.connection.execute(statement.values({column: now() - past}))
            )
        assert not await is_in(client)


async def test_signing_out_offers_to_do_so_at_the_provider(door: Front, provider: Idp) -> None:
    """A link, since a form's answer that led there would be stopped by ``form-action``."""
    async with browser(door) as client:
        assert (await through(client)).status_code == 303
        kept = {"Cookie": f"osteoserve={client.cookies['osteoserve']}"}
        left = await client.post("/signout")
        assert left.status_code == 200
        assert "osteoserve" not in dict(client.cookies)
        (link,) = html.fromstring(left.text).xpath("//a[contains(@href, '/leave')]/@href")
        assert link.startswith(f"{provider.issuer}/leave?")
        query = asked(link)
        assert query["post_logout_redirect_uri"] == f"{door.settings.public_url}/signin"
        assert query["client_id"] == "osteoserve"
        assert query["id_token_hint"].count(".") == 2
        assert "form-action 'self'" in left.headers["content-security-policy"]
        # The page is for nobody any more: it offers nothing of theirs.
        assert "/account" not in left.text
    async with browser(door, headers=kept) as again:
        assert not await is_in(again)


async def test_a_hint_that_is_too_long_is_left_out(door: Front, provider: Idp) -> None:
    provider.claims["long"] = "x" * arrivals.LONGEST_HINT
    async with browser(door) as client:
        assert (await through(client)).status_code == 303
        left = await client.post("/signout")
    (link,) = html.fromstring(left.text).xpath("//a[contains(@href, '/leave')]/@href")
    assert "id_token_hint" not in asked(link)
    assert len(quote(link)) < 2000


async def test_a_provider_that_signs_nobody_out_is_offered_to_nobody(
    opened: Opened, own: Idp
) -> None:
    for changed in (
        {"end_session_endpoint": None},
        {"end_session_endpoint": "javascript:alert(1)"},
    ):
        own.metadata = changed
        async with opened() as front, browser(front) as client:
            assert (await through(client)).status_code == 303
            left = await client.post("/signout")
            assert (left.status_code, left.headers["location"]) == (303, "/signin")
            assert not await is_in(client)
