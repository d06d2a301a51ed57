"""What is refused stands in the trail, and a flood of it does not fill it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from service.audit.trail import record
from service.events import Event, Listeners
from service.identity import refusals
from service.identity.actor import Actor
from service.identity.events import Denied
from service.identity.refusals import Refusals
from service.storage.database import Database
from service.storage.errors import StorageUnavailableError
from service.storage.tables.audit import AuditEventRow
from service.storage.transaction import Transactions
from tests.service.kit.accounts import PASSWORD, bearer, browser, key, person
from tests.service.kit.fronts import API, Front, front
from tests.service.kit.runners import running

pytestmark = pytest.mark.anyio

ELSEWHERE = {"Sec-Fetch-Site": "cross-site"}


async def rows(database: Database, **where: Any) -> list[dict[str, Any]]:
    statement = select(AuditEventRow.__table__).order_by(AuditEventRow.at)
    async with database.connect() as connection:
        found = [dict(row._mapping) for row in await connection.execute(statement)]
    return [
        {**row, **json.loads(row["detail"])}
        for row in found
        if all(row[name] == value for name, value in where.items())
    ]


def total(found: list[dict[str, Any]]) -> int:
    return sum(row.get("times", 1) for row in found)


async def test_a_plain_401_and_403_leave_a_row(tmp_path: Path) -> None:
    async with (
        running() as runners,
        front(tmp_path, runners, auth="local") as opened,
        person(opened, "view", "viewer") as viewer,
        browser(opened) as client,
    ):
        assert (await client.get(f"{API}/x")).status_code == 401
        assert (await client.post("/language", headers=ELSEWHERE)).status_code == 403
        assert (await client.get(API, headers=bearer("osk_none"))).status_code == 401
        assert (await viewer.client.get("/people")).status_code == 403
        assert (await viewer.client.post("/signout", headers=ELSEWHERE)).status_code == 403
        database = Database(opened.settings)
        found = await rows(database, kind="denied")
        await database.close()
    assert [(row["asked"], row["code"], row["account_id"]) for row in found] == [
        (f"GET {API}/{{id}}", "sign_in", None),
        ("POST /language", "cross_origin", None),
        (f"GET {API}", "sign_in", None),
        ("GET /people", "forbidden", viewer.id),
        ("POST /signout", "cross_origin", viewer.id),
    ]
    assert {row["address"] for row in found} == {"127.0.0.1"}


async def test_who_is_known_leaves_a_row_each_time_and_a_flood_of_strangers_does_not(
    tmp_path: Path,
) -> None:
    async with (
        running() as runners,
        front(tmp_path, runners, auth="local") as opened,
        person(opened, "many", "viewer") as viewer,
        browser(opened) as client,
    ):
        program = await key(opened, "integrator")
        for _ in range(12):
            assert (await viewer.client.get("/people")).status_code == 403
            assert (await client.get("/people", headers=bearer(program))).status_code == 403
        for _ in range(20):
            await asyncio.gather(*(client.get(API) for _ in range(10)))
        for _ in range(8):
            sent = {"token": "x" * 43, "password": PASSWORD, "again": PASSWORD}
            assert (await client.post("/welcome", data=sent)).status_code == 403
        settings = opened.settings
    database = Database(settings)
    found = await rows(database, kind="denied")
    failed = await rows(database, kind="sign_in_failed")
    await database.close()
    assert len([row for row in found if row["account_id"]]) == 24
    strangers = [row for row in found if not row["account_id"]]
    # All of one address: what has no row of its own is counted when the front ends.
    assert len(strangers) + len(failed) == refusals.EACH + 1
    assert total(strangers) + total(failed) == 208


async def test_many_addresses_are_bounded_as_well(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "ADDRESSES", 8)
    listeners = Listeners()
    listeners.within_sync(Event, record)
    noting = Refusals(Transactions(database, listeners))
    for number in range(300):
        actor = Actor(address=f"192.0.2.{number % 100}")
        await noting.note(Denied(actor=actor, method="GET", route="/", code="sign_in"))
    found = await rows(database)
    assert len(found) <= (8 + 1) * refusals.EACH
    await noting.aclose()
    assert total(await rows(database)) == 300


async def test_a_minute_later_there_are_rows_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    listeners = Listeners()
    listeners.within_sync(Event, record)
    noting = Refusals(Transactions(database, listeners))
    clock = 1000.0
    monkeypatch.setattr("service.identity.refusals.time.monotonic", lambda: clock)
    event = Denied(actor=Actor(address="192.0.2.1"), method="GET", route="/", code="sign_in")
    for _ in range(20):
        await noting.note(event)
    clock += refusals.WINDOW
    await noting.note(event)
    found = await rows(database)
    assert [row.get("times", 1) for row in found] == [1] * refusals.EACH + [15, 1]


async def test_a_database_that_is_away_refuses_all_the_same(
    guarded: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> None:
        raise StorageUnavailableError("The database does not answer.", 1)

    for way in ("write", "emit"):
        monkeypatch.setattr(f"service.storage.transaction.Transactions.{way}", away)
    async with browser(guarded) as client:
        for _ in range(3):
            assert (await client.get(API)).status_code == 401
