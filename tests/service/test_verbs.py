"""Every verb that writes: its rows and its event are kept together, or neither is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.batches.events import BatchEnded, BatchLinesAdded, BatchStarted
from service.events import Event, Listeners
from service.exams.events import ExamChanged, ExamMeasured
from service.exams.measurements import Measured
from service.exams.schemas import from_json
from service.medicine.modalities.events import ModalityChanged
from service.medicine.modalities.ultrasound import schemas as ultrasound
from service.medicine.morphometry import schemas as morphometry
from service.medicine.morphometry.events import PointsKept
from service.predictions.events import PredictionDeleted, PredictionMade
from service.predictions.schemas import Prediction
from service.reviews.events import ReviewAdded
from service.reviews.schemas import Signature
from service.storage.database import Database
from service.storage.tables.columns import Base
from service.worklist.events import ResultFlagged, ResultRetired
from tests.service.kit.records import ANYONE, REFUSED, Verbs, keep, made, verbs

pytestmark = pytest.mark.anyio

SIGNED = Signature(action="sign", reviewer="A. Reader")
MEASURED = Measured(source="Enhanced SR")
HEEL = ultrasound.read({"device": "sahara", "qui": 75.0})
POINTS = morphometry.read(morphometry.EXAMPLE)
FACTS = from_json({"patient_reference": "p", "t_score": -1.0})


async def everything(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    async with database.connect() as connection:
        return {
            table.name: sorted(map(tuple, await connection.execute(select(table))), key=repr)
            for table in Base.metadata.sorted_tables
        }


Verb = Callable[[Verbs, Prediction, Any], Awaitable[object]]

VERBS: dict[type[Event], Verb] = {
    PredictionMade: lambda on, _, __: on.predictions.keep(ANYONE, made(7), b"png", "key"),
    PredictionDeleted: lambda on, one, _: on.predictions.delete(ANYONE, one.id),
    ReviewAdded: lambda on, one, _: on.reviews.sign(ANYONE, one.id, SIGNED, one.outcome),
    ExamChanged: lambda on, one, _: on.exams.change(ANYONE, one.id, from_json({"t_score": -2.0})),
    ExamMeasured: lambda on, one, _: on.exams.measure(ANYONE, one.id, {"a": MEASURED}),
    ModalityChanged: lambda on, one, _: on.modalities.enter_ultrasound(ANYONE, one.id, HEEL),
    PointsKept: lambda on, one, _: on.morphometry.keep(ANYONE, one.id, POINTS, {}),
    ResultFlagged: lambda on, one, _: on.worklist.flag(ANYONE, one.id, True),
    ResultRetired: lambda on, one, _: on.worklist.retire(ANYONE, one.id, "test"),
    BatchStarted: lambda on, _, __: on.batches.start(ANYONE, 3),
    BatchLinesAdded: lambda on, one, batch: on.batches.record(ANYONE, batch, 0, one.id),
    BatchEnded: lambda on, _, batch: on.batches.cancel(ANYONE, batch),
}


@pytest.mark.parametrize("kind", VERBS, ids=lambda kind: kind.__name__)
async def test_a_listener_that_fails_undoes_the_verb(database: Database, kind: type[Event]) -> None:
    # Points are kept of what was refused alone.
    one = made(0, **(REFUSED if kind is PointsKept else {}))
    await keep(database, one)
    await verbs(database).exams.change(ANYONE, one.id, FACTS)
    batch = (await verbs(database).batches.start(ANYONE, 2)).id
    before = await everything(database)

    async def fails(_: AsyncConnection, event: Event) -> None:
        raise RuntimeError(type(event).__name__)

    listeners, told = Listeners(), list[Event]()
    listeners.within(Event, fails)
    listeners.afterwards(Event, told.append)
    with pytest.raises(RuntimeError, match=kind.__name__):
        await VERBS[kind](verbs(database, listeners), one, batch)
    assert await everything(database) == before
    assert told == []

    # Without it, the rows change and one event says so.
    willing = Listeners()
    willing.afterwards(Event, told.append)
    await VERBS[kind](verbs(database, willing), one, batch)
    assert await everything(database) != before
    assert [type(event) for event in told] == [kind]
    assert told[0].actor == ANYONE


async def test_what_changes_nothing_is_no_event(database: Database) -> None:
    listeners, told = Listeners(), list[Event]()
    listeners.afterwards(Event, told.append)
    on, one = verbs(database, listeners), made(0)
    assert not await on.predictions.delete(ANYONE, one.id)
    assert await on.exams.change(ANYONE, one.id, FACTS) is None
    assert await on.worklist.flag(ANYONE, one.id, True) is None
    assert await on.morphometry.keep(ANYONE, one.id, POINTS, {}) is None
    batch = (await verbs(database).batches.start(ANYONE, 1)).id
    assert await verbs(database).batches.end(ANYONE, batch, "finished")
    assert not await on.batches.cancel(ANYONE, batch)
    assert not await on.batches.record(ANYONE, batch, 0)
    assert told == []


async def test_of_those_written_together_only_the_one_at_fault_is_not_kept(
    database: Database,
) -> None:
    listeners, told = Listeners(), list[PredictionMade]()
    there = [made(number) for number in range(6)]

    async def fails(_: AsyncConnection, event: PredictionMade) -> None:
        if event.prediction == there[3]:
            raise RuntimeError

    listeners.within(PredictionMade, fails)
    listeners.afterwards(PredictionMade, told.append)
    on = verbs(database, listeners).predictions
    ends = await asyncio.gather(
        *(on.keep(ANYONE, one, b"x") for one in there), return_exceptions=True
    )
    assert [type(end) for end in ends] == [Prediction] * 3 + [RuntimeError] + [Prediction] * 2
    found = [await on.get(ANYONE, one.id) for one in there]
    assert found == [*there[:3], None, *there[4:]]
    assert {event.prediction.id for event in told} == {one.id for one in there if one != there[3]}
