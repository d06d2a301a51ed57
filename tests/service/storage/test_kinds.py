"""What goes wrong in a database, by kind, on both of them."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from service.exams.schemas import from_json
from service.predictions.heat_maps.schemas import EXAMPLE as MAP_EXAMPLE
from service.predictions.heat_maps.schemas import HeatMap
from service.reviews.schemas import Signature, version
from service.settings import Settings
from service.storage.database import Database
from service.storage.errors import (
    ChangedError,
    ConflictError,
    GoneError,
    StorageBusyError,
    StorageUnavailableError,
)
from tests.service.kit.records import ANYONE, keep, keep_map, made, verbs

pytestmark = pytest.mark.anyio

SIGNED = Signature(action="sign", reviewer="A. Reader")


async def test_writing_what_is_there_is_a_conflict(database: Database) -> None:
    one = made(0)
    await keep(database, one)
    with pytest.raises(ConflictError):
        await keep(database, one)


async def test_whatever_belongs_to_a_deleted_result_is_gone(database: Database) -> None:
    one = made(0)
    with pytest.raises(GoneError):
        await verbs(database).reviews.sign(ANYONE, one.id, SIGNED, one.outcome)
    with pytest.raises(GoneError):
        await keep_map(database, one.id, HeatMap.model_validate(MAP_EXAMPLE))
    assert await verbs(database).exams.change(ANYONE, one.id, from_json({"t_score": -1.0})) is None
    assert not await verbs(database).predictions.delete(ANYONE, one.id)


async def test_a_batch_goes_on_when_one_of_its_results_was_deleted_at_once(
    database: Database,
) -> None:
    batches = verbs(database).batches
    batch = await batches.start(ANYONE, 2)
    assert await batches.record(ANYONE, batch.id, 0, uuid4())
    (line,) = await batches.lines(ANYONE, batch.id, 0, 10)
    assert (line.prediction, line.problem) == (None, None)


async def test_transactions_in_each_others_way_both_end_well(database: Database) -> None:
    """Each takes what the other has: a deadlock on PostgreSQL, a queue on SQLite."""
    one, other = made(0), made(1)
    await keep(database, one, other)
    tries = 0
    both = asyncio.Barrier(2)

    def crossing(*ids: str) -> object:
        met = database.is_sqlite

        async def work(connection: AsyncConnection) -> None:
            nonlocal tries, met
            tries += 1
            for id in ids:
                await connection.execute(
                    text("UPDATE prediction SET version = :id WHERE id = :id"), {"id": id}
                )
                if not met:
                    # Each has its first before either asks for its second.
                    met = True
                    await both.wait()

        return database.write(work)

    form = str if not database.is_sqlite else lambda id: id.hex
    names = [form(one.id), form(other.id)]
    async with asyncio.timeout(20):
        await asyncio.gather(crossing(*names), crossing(*reversed(names)))  # type: ignore[arg-type]
    # On a busy machine PostgreSQL may have to end whoever lost once more.
    assert tries == 2 if database.is_sqlite else tries > 2


async def test_what_is_only_read_waits_for_no_writer(tmp_path: Path) -> None:
    database = Database(Settings(var=tmp_path))
    await database.migrate()
    one = made(0)
    await keep(database, one)
    with closing(sqlite3.connect(tmp_path / "osteoserve.db", isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        async with asyncio.timeout(2):
            assert await verbs(database).predictions.get(ANYONE, one.id) == one
    await database.close()


async def test_writers_that_met_a_lock_are_unavailable_in_time_and_leave_none(
    tmp_path: Path,
) -> None:
    database = Database(Settings(var=tmp_path, storage_seconds=0.5))
    await database.migrate()
    one = made(0)
    await keep(database, one)
    reviews = verbs(database).reviews
    with closing(sqlite3.connect(tmp_path / "osteoserve.db", isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        begun = time.monotonic()
        ends = await asyncio.gather(
            *(reviews.sign(ANYONE, one.id, SIGNED, one.outcome) for _ in range(5)),
            return_exceptions=True,
        )
        assert time.monotonic() - begun < 5
        assert [isinstance(end, StorageUnavailableError) for end in ends] == [True] * 5
        writer.execute("ROLLBACK")
    # Nothing of them comes late, and nobody holds the lock.
    assert await reviews.of(ANYONE, one.id) == ()
    assert (await reviews.sign(ANYONE, one.id, SIGNED, one.outcome)).number == 1
    await database.close()


async def test_one_that_is_always_in_the_way_is_given_up_in_time(tmp_path: Path) -> None:
    database = Database(Settings(var=tmp_path, storage_seconds=0.5))
    await database.migrate()
    tries = 0

    async def work(_: AsyncConnection) -> None:
        nonlocal tries
        tries += 1
        raise StorageBusyError("in the way", 1)

    async with asyncio.timeout(5):
        with pytest.raises(StorageBusyError):
            await database.write(work)
    assert tries > 3
    await database.close()


async def test_facts_that_were_changed_since_are_not_written_over(database: Database) -> None:
    one = made(0)
    await keep(database, one)
    exams = verbs(database).exams
    empty = await exams.get(ANYONE, one.id)
    assert empty is not None
    first = from_json({"t_score": -1.0})
    second = from_json({"t_score": -2.0})
    await exams.change(ANYONE, one.id, first, {empty.version})
    with pytest.raises(ChangedError) as caught:
        await exams.change(ANYONE, one.id, second, {empty.version})
    assert caught.value.kept.t_score == -1.0
    # The same, sent twice, is no difference to anybody.
    assert await exams.change(ANYONE, one.id, first, {empty.version}) is not None
    replaced = await exams.change(ANYONE, one.id, second, {"other", caught.value.kept.version})
    assert replaced is not None
    assert replaced.t_score == -2.0


async def test_a_review_of_what_was_reviewed_since_is_not_written_down(
    database: Database,
) -> None:
    one = made(0)
    await keep(database, one)
    reviews = verbs(database).reviews
    nothing = {version(())}
    first = await reviews.sign(ANYONE, one.id, SIGNED, one.outcome, nothing)
    other = SIGNED.model_copy(update={"reviewer": "B. Reader"})
    with pytest.raises(ChangedError) as caught:
        await reviews.sign(ANYONE, one.id, other, one.outcome, nothing)
    assert caught.value.kept == (first,)
    # The same form, sent twice.
    assert await reviews.sign(ANYONE, one.id, SIGNED, one.outcome, nothing) == first
    second = await reviews.sign(ANYONE, one.id, other, one.outcome, {version((first,))})
    assert await reviews.of(ANYONE, one.id) == (first, second)
