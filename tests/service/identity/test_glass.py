"""Break-glass: another site's results with a reason, for a while, told at once (attack 33)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from lxml import html
from sqlalchemy import select, update

from service.clock import now
from service.storage.database import Database
from service.storage.tables.audit import AuditEventRow
from service.storage.tables.identity import GlassRow, SessionRow
from tests.service.kit.accounts import Somebody, bearer, browser, key, person
from tests.service.kit.fronts import Front, front
from tests.service.kit.runners import running

pytestmark = pytest.mark.anyio

API = "/api/v1/predictions"
WHY = "Trauma call, the patient is unconscious here."


@dataclass
class Two:
    """A front with two sites, a clinician at each, and an auditor of the second."""

    opened: Front
    near: Somebody
    far: Somebody
    auditor: Somebody
    result: str


@pytest.fixture
async def two(tmp_path_factory: pytest.TempPathFactory, png: bytes) -> AsyncIterator[Two]:
    async with AsyncExitStack() as stack:
        runners = await stack.enter_async_context(running())
        opened = await stack.enter_async_context(
            front(tmp_path_factory.mktemp("var"), runners, auth="local")
        )
        near = await stack.enter_async_context(person(opened, "near", "clinician"))
        far = await stack.enter_async_context(person(opened, "far", "clinician", site="far"))
        auditor = await stack.enter_async_context(person(opened, "aud", "auditor", site="far"))
        result = (await far.client.post(API, content=png)).json()["id"]
        facts = {"patient_reference": "SECRET-4711"}
        await far.client.put(f"{API}/{result}/study", json=facts)
        yield Two(opened, near, far, auditor, str(result))


async def rows(opened: Front, statement: Any) -> list[Any]:
    database = Database(opened.settings)
    async with database.connect() as connection:
        found = list(await connection.execute(statement))
    await database.close()
    return found


async def change(opened: Front, statement: Any) -> None:
    database = Database(opened.settings)
    async with database.begin() as connection:
        await connection.execute(statement)
    await database.close()


async def breaks(one: Somebody, site: str = "far", reason: str = WHY) -> Any:
    return await one.client.post("/glass", data={"site": site, "reason": reason})


async def test_another_site_is_read_with_a_reason_and_a_banner_and_not_without(two: Two) -> None:
    client = two.near.client
    assert (await client.get(f"/results/{two.result}")).status_code == 404
    before = client.cookies["osteoserve"]
    done = await breaks(two.near)
    assert (done.status_code, done.headers["location"]) == (303, "/history")
    assert client.cookies["osteoserve"] != before
    page = await client.get(f"/results/{two.result}")
    assert page.status_code == 200
    (banner,) = html.fromstring(page.text).xpath("//*[contains(@class, 'glass')]")
    assert "far" in banner.text_content()
    assert two.result in (await client.get("/history")).text
    assert (await client.get(f"{API}/{two.result}/report.pdf")).status_code == 200
    ended = await client.post("/glass/end")
    assert ended.status_code == 303
    assert (await client.get(f"/results/{two.result}")).status_code == 404
    assert (await client.get(API)).status_code == 200
    # The cookies of before are nobody's.
    async with browser(two.opened) as other:
        other.cookies.set("osteoserve", before)
        assert (await other.get("/history")).status_code == 303


async def test_nothing_is_written_signed_or_sent_meanwhile(two: Two, png: bytes) -> None:
    client = two.near.client
    await breaks(two.near)
    review = f"{API}/{two.result}/reviews"
    assert (await client.post(review, json={"action": "sign"})).status_code == 403
    assert (await client.put(f"{API}/{two.result}/study", json={})).status_code == 403
    assert (await client.post(API, content=png)).status_code == 403
    assert (await client.post("/account/site", data={"site": "default"})).status_code == 422
    # Nor is it renewed, nor another one begun.
    assert (await breaks(two.near)).status_code == 403
    assert (await client.get("/audit")).status_code == 403


@pytest.mark.parametrize(
    ("site", "reason"),
    [("far", ""), ("far", "too short"), ("far", "x" * 501), ("far", "a\x07" * 20),
     ("nowhere", WHY), ("default", WHY), ("", WHY)],
    ids=["none", "short", "long", "bell", "unknown", "own", "unchosen"],
)  # fmt: skip
async def test_attack_33_without_reason_or_site_nothing_happens(
    two: Two, site: str, reason: str
) -> None:
    answer = await breaks(two.near, site, reason)
    assert answer.status_code == 422
    assert "error-text" in answer.text
    assert await rows(two.opened, select(GlassRow.id)) == []


async def test_attack_33_neither_viewer_nor_key_nor_administrator_does_it(two: Two) -> None:
    for role in ("viewer", "administrator", "auditor"):
        async with person(two.opened, f"a-{role}", role) as somebody:
            assert (await breaks(somebody)).status_code == 403
    for role in ("clinician", "integrator"):
        headers = bearer(await key(two.opened, role))
        async with browser(two.opened) as client:
            sent = {"site": "far", "reason": WHY}
            assert (await client.post("/glass", data=sent, headers=headers)).status_code == 403
    assert await rows(two.opened, select(GlassRow.id)) == []


async def test_attack_33_it_ends_by_itself_and_with_the_role(two: Two) -> None:
    await breaks(two.near)
    ((ends,),) = await rows(two.opened, select(GlassRow.ends_at))
    assert timedelta(minutes=55) < ends - now() <= timedelta(minutes=60)
    past = now() - timedelta(seconds=1)
    await change(two.opened, update(GlassRow).values(ends_at=past))
    assert (await two.near.client.get(f"/results/{two.result}")).status_code == 303
    await two.near.sign_in()
    await breaks(two.near)
    async with person(two.opened, "chief", "administrator") as chief:
        await chief.client.post(f"/people/{two.near.id}/roles", data={"role_viewer": "yes"})
    assert (await two.near.client.get(f"/results/{two.result}")).status_code == 303


async def test_it_is_no_way_to_a_longer_sign_in(two: Two) -> None:
    end = now() + timedelta(minutes=20)
    of_near = SessionRow.person_id == two.near.id
    await change(two.opened, update(SessionRow).where(of_near).values(ends_at=end))
    await breaks(two.near)
    await two.near.client.post("/glass/end")
    ((ends,),) = await rows(two.opened, select(SessionRow.ends_at).where(of_near))
    assert ends == end


async def test_what_is_read_stands_in_the_other_site_s_trail_and_is_told_at_once(
    two: Two,
) -> None:
    await breaks(two.near)
    await two.near.client.get(f"/results/{two.result}")
    ((id,),) = await rows(two.opened, select(GlassRow.id))
    found = await rows(
        two.opened,
        select(AuditEventRow.kind, AuditEventRow.site, AuditEventRow.detail)
        .where(AuditEventRow.account_id == two.near.id, AuditEventRow.site == "far")
        .order_by(AuditEventRow.at),
    )
    assert [row.kind for row in found] == ["glass_broken", "read"]
    assert {json.loads(row.detail)["glass"] for row in found} == {str(id)}
    assert await two.opened.sample("osteoserve_break_glass_total") == 1
    assert WHY not in str(found)


async def test_an_auditor_of_the_site_closes_each_once_and_nobody_their_own(two: Two) -> None:
    await breaks(two.near)
    await two.near.client.post("/glass/end")
    ((id,),) = await rows(two.opened, select(GlassRow.id))
    page = await two.auditor.client.get("/glass/uses")
    assert WHY in page.text
    async with person(two.opened, "home-aud", "auditor") as home:
        # At home they see it, and leave it to the others.
        shown = (await home.client.get("/glass/uses")).text
        assert WHY in shown
        assert f"/glass/uses/{id}/close" not in shown
        assert (await home.client.post(f"/glass/uses/{id}/close")).status_code == 404
    close = f"/glass/uses/{id}/close"
    assert (await two.auditor.client.post(close, data={"remark": "x" * 501})).status_code == 422
    answers = await asyncio.gather(
        *(two.auditor.client.post(close, data={"remark": "Justified."}) for _ in range(3))
    )
    assert sorted(one.status_code for one in answers) == [303, 404, 404]
    assert "Justified." in (await two.auditor.client.get("/glass/uses")).text
    (told,) = await rows(
        two.opened, select(AuditEventRow.object_id).where(AuditEventRow.kind == "glass_closed")
    )
    assert told.object_id == str(id)
    assert (await two.far.client.get("/glass/uses")).status_code == 403
