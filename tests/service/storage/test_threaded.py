"""Transactions that are done in one go: whole or not at all, as all others are."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.engine import Connection

from service.settings import Settings
from service.storage.database import Database
from service.storage.errors import ConflictError, StorageBusyError
from tests.service.kit import databases

pytestmark = pytest.mark.anyio

SAY = text("INSERT INTO toy VALUES (:said)")
SAID = text("SELECT said FROM toy ORDER BY said")


@pytest.fixture
async def toy(database: Database) -> Database:
    await database.write_sync(make)
    return database


def make(connection: Connection) -> None:
    connection.execute(text("CREATE TABLE toy (said VARCHAR(80) PRIMARY KEY)"))


def say(connection: Connection, *words: str) -> None:
    for one in words:
        connection.execute(SAY, {"said": one})


def said(connection: Connection) -> list[str]:
    return list(connection.scalars(SAID))


async def test_what_is_written_in_one_go_is_there_for_everybody(toy: Database) -> None:
    await toy.write_sync(lambda connection: say(connection, "a", "b"))
    assert await toy.read_sync(said) == ["a", "b"]
    async with toy.connect() as connection:
        assert list(await connection.scalars(SAID)) == ["a", "b"]


async def test_what_fails_takes_everything_back(toy: Database) -> None:
    await toy.write_sync(lambda connection: say(connection, "a"))
    with pytest.raises(ConflictError):
        await toy.write_sync(lambda connection: say(connection, "b", "a"))

    def breaks(connection: Connection) -> None:
        say(connection, "c")
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        await toy.write_sync(breaks)
    # The connections went back to the pool fit for the next.
    await toy.write_sync(lambda connection: say(connection, "d"))
    assert await toy.read_sync(said) == ["a", "d"]


async def test_one_thread_does_all_of_it_on_sqlite(tmp_path: Path) -> None:
    settings = Settings(var=tmp_path)
    databases.lay(settings)
    database = Database(settings)
    seen: list[tuple[str, str]] = []
    assert database._threaded is not None

    @event.listens_for(database._threaded.engine, "before_cursor_execute")
    def executes(_: Any, __: Any, statement: str, *___: Any) -> None:
        seen.append((threading.current_thread().name, statement.split(maxsplit=1)[0]))

    @event.listens_for(database.engine.sync_engine, "checkout")
    def elsewhere(*_: Any) -> None:
        seen.append(("the asynchronous engine", ""))

    await database.write_sync(make)
    await database.read_sync(said)
    await database.close()
    assert [what for _, what in seen] == ["BEGIN", "CREATE", "BEGIN", "SELECT"]
    names = [name for name, _ in seen]
    assert names[0] == names[1] != threading.current_thread().name
    assert names[2] == names[3]


@contextmanager
def held(file: Path) -> Iterator[None]:
    """Write as another process does that takes its time."""
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


async def opened(folder: Path, **options: Any) -> Database:
    settings = Settings(var=folder, **options)
    databases.lay(settings)
    database = Database(settings)
    await database.write_sync(make)
    return database


async def test_who_is_in_the_way_too_long_is_an_error(tmp_path: Path) -> None:
    database = await opened(tmp_path, storage_seconds=0.3)
    with held(tmp_path / "osteoserve.db"):
        with pytest.raises(StorageBusyError):
            await database.write_sync(lambda connection: say(connection, "a"))
        # Who only reads waits for no writer.
        assert await database.read_sync(said) == []
    await database.write_sync(lambda connection: say(connection, "b"))
    assert await database.read_sync(said) == ["b"]
    await database.close()


async def test_the_loop_goes_on_while_a_write_waits(tmp_path: Path) -> None:
    database = await opened(tmp_path, storage_seconds=20.0)
    with held(tmp_path / "osteoserve.db"):
        waits = asyncio.create_task(database.write_sync(lambda c: say(c, "a")))
        # The loop is free, and so are other threads: with its turn taken only writers wait.
        for _ in range(10):
            assert await database.read_sync(said) == []
        assert not waits.done()
    await waits
    assert await database.read_sync(said) == ["a"]
    await database.close()


async def test_closing_waits_for_what_nobody_waits_for_any_more(tmp_path: Path) -> None:
    database = await opened(tmp_path, storage_seconds=20.0)
    begun = threading.Event()
    goes_on = threading.Event()

    def slow(connection: Connection) -> None:
        say(connection, "a")
        begun.set()
        goes_on.wait(20)

    left = asyncio.create_task(database.write_sync(slow))
    await asyncio.to_thread(begun.wait, 20)
    left.cancel()
    await asyncio.wait({left})
    assert left.cancelled()
    closing = asyncio.create_task(database.close())
    goes_on.set()
    await closing
    with sqlite3.connect(tmp_path / "osteoserve.db") as other:
        assert other.execute("SELECT said FROM toy").fetchall() == [("a",)]


async def test_what_survives_a_loss_of_power_does_so_in_threads_too(tmp_path: Path) -> None:
    database = Database(Settings(var=tmp_path))
    database.endure()
    await database.migrate()

    def synchronous(connection: Connection) -> object:
        return connection.exec_driver_sql("PRAGMA synchronous").scalar()

    async with database.connect() as connection:
        assert await connection.run_sync(synchronous) == 2
    assert await database.read_sync(synchronous) == 2
    await database.close()
