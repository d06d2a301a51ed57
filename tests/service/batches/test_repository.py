"""A batch's lines as the database keeps them."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from service.batches.repository import SILENCE
from service.clock import now
from service.storage.database import Database
from tests.service.kit.records import ANYONE, keep, made, verbs

pytestmark = pytest.mark.anyio


async def test_lines_are_numbered_as_they_are_written(database: Database) -> None:
    batches = verbs(database).batches
    batch = await batches.start(ANYONE, 20)
    predictions = [made(number) for number in range(3)]
    await keep(database, *predictions)
    given = {item: predictions[item].id if item < 3 else None for item in range(20)}
    problem = {"code": "corrupt_file"}
    await asyncio.gather(
        *(
            batches.record(ANYONE, batch.id, item, id, None if id else problem)
            for item, id in given.items()
        )
    )
    lines = (
        *await batches.lines(ANYONE, batch.id, 0, 15),
        *await batches.lines(ANYONE, batch.id, 15, 15),
    )
    assert [line.line for line in lines] == list(range(1, 21))
    assert sorted(line.index for line in lines) == list(range(20))
    for line in lines:
        expected = predictions[line.index] if line.index < 3 else None
        assert (line.prediction, line.problem) == (expected, None if expected else problem)
    assert await batches.end(ANYONE, batch.id, "finished")
    assert not await batches.end(ANYONE, batch.id, "cancelled")
    assert not await batches.record(ANYONE, batch.id, 1)
    found = await batches.get(ANYONE, batch.id)
    assert found is not None
    assert (found.state, found.finished, found.remaining) == ("finished", 20, ())
    await verbs(database).predictions.delete(ANYONE, predictions[0].id)
    empty = [one for one in await batches.lines(ANYONE, batch.id, 0, 20) if one.index == 0]
    assert (empty[0].prediction, empty[0].problem) == (None, None)


async def test_silence_means_interrupted(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = verbs(database).batches
    batch = await batches.start(ANYONE, 2)
    found = await batches.get(ANYONE, batch.id)
    assert found is not None
    assert found.state == "running"
    later = now() + SILENCE + timedelta(seconds=1)
    monkeypatch.setattr("service.batches.repository.now", lambda: later)
    found = await batches.get(ANYONE, batch.id)
    assert found is not None
    assert (found.state, found.remaining) == ("interrupted", (0, 1))
    # One that was merely slow says so, and goes on.
    assert await batches.touch(batch.id)
    found = await batches.get(ANYONE, batch.id)
    assert found is not None
    assert found.state == "running"
