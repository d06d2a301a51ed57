"""Each read has its row before it is answered, however many read at once."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from sqlalchemy import event, select
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.audit.trail import Trail, record
from service.audit.verify import verify
from service.events import Event, Listeners
from service.identity.actor import Actor
from service.identity.events import WasRead
from service.identity.reading import MOST, Reading
from service.storage.database import Database
from service.storage.tables.audit import AuditEventRow
from service.storage.transaction import Transactions
from tests.service.kit.accounts import bearer, browser, key
from tests.service.kit.fronts import API, front
from tests.service.kit.runners import running

pytestmark = pytest.mark.anyio

READERS = 20
KEY = b"k" * 32


def rows(file: Path, id: str) -> int:
    """Return how many reads of ``id`` another process finds."""
    with sqlite3.connect(file) as other:
        return int(
            other.execute(
                "SELECT count(*) FROM audit_event WHERE kind = 'read' AND object_id = ?", (id,)
            ).fetchone()[0]
        )


class Looking:
    """Looks, whenever an answer begins, whether its row is there."""

    def __init__(self, app: ASGIApp, file: Path, seen: dict[str, int]) -> None:
        self._app = app
        self._file = file
        self._seen = seen

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def looked(message: Message) -> None:
            if message["type"] == "http.response.start":
                id = scope["path"].rpartition("/")[2]
                self._seen[id] = rows(self._file, id)
            await send(message)

        await self._app(scope, receive, looked if scope["type"] == "http" else send)


async def test_the_row_is_there_before_the_answer_begins(tmp_path: Path, png: bytes) -> None:
    """Many at once, over two fronts on one database; what is not there was asked for as well."""
    file, seen = tmp_path / "osteoserve.db", dict[str, int]()

    def change(app: FastAPI) -> None:
        app.add_middleware(Looking, file=file, seen=seen)

    async with (
        running() as runners,
        front(tmp_path, runners, change, auth="local", storage_seconds=20.0) as one,
        front(tmp_path, runners, change, auth="local", storage_seconds=20.0) as other,
        browser(one, headers=bearer(await key(one, "integrator"))) as first,
        browser(other, headers=bearer(await key(one, "integrator"))) as second,
    ):
        kept = (await first.post(API, content=png)).json()["id"]
        seen.clear()
        ids = [kept, *(str(uuid4()) for _ in range(2 * READERS - 1))]
        answers = await asyncio.gather(
            *((first, second)[number % 2].get(f"{API}/{id}") for number, id in enumerate(ids))
        )
    assert [answer.status_code for answer in answers] == [200, *[404] * (2 * READERS - 1)]
    assert seen == dict.fromkeys(ids, 1)


async def test_attack_36_a_read_that_cannot_be_written_down_is_not_answered(
    tmp_path: Path, png: bytes
) -> None:
    """Attack 36."""
    file = tmp_path / "osteoserve.db"
    async with (
        running() as runners,
        front(tmp_path, runners, auth="local", storage_seconds=0.5) as opened,
        browser(opened, headers=bearer(await key(opened, "integrator"))) as client,
    ):
        made = (await client.post(API, content=png)).json()
        place = f"{API}/{made['id']}"
        held = sqlite3.connect(file, isolation_level=None)
        held.execute("BEGIN IMMEDIATE")
        refused = await client.get(place)
        held.execute("ROLLBACK")
        held.close()
        assert refused.status_code == 503
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.json()["code"] == "storage_unavailable"
        assert made["created_at"] not in refused.text
        assert rows(file, made["id"]) == 0
        assert (await client.get(place)).json()["created_at"] == made["created_at"]
        assert rows(file, made["id"]) == 1


def on(database: Database) -> Transactions:
    listeners = Listeners()
    listeners.within_sync(Event, record)
    return Transactions(database, listeners)


def read(id: UUID) -> WasRead:
    return WasRead(actor=Actor(id=uuid4()), what="result", id=str(id), route="/results/{id}")


async def test_those_that_come_together_are_written_together(database: Database) -> None:
    transactions = on(database)
    reading = Reading(transactions)
    statements: list[str] = []
    engines = [database.engine.sync_engine]
    engines += [] if database._threaded is None else [database._threaded.engine]

    def executes(_: Any, __: Any, statement: str, *___: Any) -> None:
        statements.append(statement.split("(", maxsplit=1)[0].strip())

    for engine in engines:
        event.listen(engine, "before_cursor_execute", executes)
    ids = {uuid4() for _ in range(MOST)}
    await asyncio.gather(*(reading.note(read(id)) for id in ids))
    await reading.aclose()
    inserts = [one for one in statements if one.startswith("INSERT")]
    assert inserts == ["INSERT INTO audit_event", "INSERT INTO audit_pending"]
    async with database.connect() as connection:
        noted = set(await connection.scalars(select(AuditEventRow.object_id)))
    assert noted == {str(id) for id in ids}
    assert await Trail(transactions, KEY, None).seal() == MOST
    found = await verify(transactions, KEY, ())
    assert (found.broken, found.links, found.unsealed) == (None, MOST, 0)
