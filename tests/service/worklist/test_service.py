"""Flags, who reads what, and results that are retired: told once, kept apart by site."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert

from service.events import Event, Listeners
from service.identity.actor import Actor
from service.storage.database import Database
from service.storage.tables.identity import MembershipRow, PersonRow
from service.worklist.events import (
    ResultAssigned,
    ResultFlagged,
    ResultRestored,
    ResultRetired,
)
from service.worklist.schemas import NoReaderError
from tests.service.kit.records import ANYONE, keep, made, verbs

pytestmark = pytest.mark.anyio

ELSEWHERE = Actor(site="south", roles=ANYONE.roles)


@pytest.fixture
def told() -> list[Event]:
    return []


def heard(told: list[Event]) -> Listeners:
    listeners = Listeners()
    listeners.afterwards(Event, told.append)
    return listeners


async def reader(
    database: Database, name: str, role: str = "clinician", site: str = "default"
) -> UUID:
    id, at = uuid4(), datetime(2026, 1, 1, tzinfo=UTC)
    async with database.begin() as connection:
        await connection.execute(
            insert(PersonRow).values(id=id, login=name.lower(), name=name, created_at=at)
        )
        for source in ("hand", "idp"):
            await connection.execute(
                insert(MembershipRow).values(person_id=id, site=site, role=role, source=source)
            )
    return id


async def test_a_flag_is_set_and_taken_away_and_each_is_told_once(
    database: Database, told: list[Event]
) -> None:
    one = made(0)
    await keep(database, one)
    worklist = verbs(database, heard(told)).worklist
    for flagged in (True, True, False, False):
        entry = await worklist.flag(ANYONE, one.id, flagged)
        assert entry is not None
        assert (entry.flagged_at is not None) == flagged
    assert told == [
        ResultFlagged(actor=ANYONE, prediction_id=one.id, flagged=True),
        ResultFlagged(actor=ANYONE, prediction_id=one.id, flagged=False),
    ]


async def test_a_result_is_assigned_to_whoever_signs_there_and_to_nobody_else(
    database: Database, told: list[Event]
) -> None:
    one = made(0)
    await keep(database, one)
    ann = await reader(database, "Ann")
    others = [
        await reader(database, "Viewer", role="viewer"),
        await reader(database, "South", site="south"),
        uuid4(),
    ]
    worklist = verbs(database, heard(told)).worklist
    assert [found.name for found in await worklist.readers(ANYONE)] == ["Ann"]
    entry = await worklist.assign(ANYONE, one.id, ann)
    assert entry is not None
    assert (entry.assigned_to, entry.reader) == (ann, "Ann")
    for other in others:
        with pytest.raises(NoReaderError):
            await worklist.assign(ANYONE, one.id, other)
    entry = await worklist.assign(ANYONE, one.id, None)
    assert entry is not None
    assert (entry.assigned_to, entry.reader) == (None, None)
    assert [type(event) for event in told] == [ResultAssigned] * 2


async def test_a_result_is_retired_and_restored(database: Database, told: list[Event]) -> None:
    one = made(0)
    await keep(database, one)
    worklist = verbs(database, heard(told)).worklist
    entry = await worklist.retire(ANYONE, one.id, "duplicate")
    assert entry is not None
    assert entry.retired_reason == "duplicate"
    await worklist.retire(ANYONE, one.id, "duplicate")
    entry = await worklist.restore(ANYONE, one.id)
    assert entry is not None
    assert (entry.retired_at, entry.retired_reason) == (None, None)
    await worklist.restore(ANYONE, one.id)
    assert [type(event) for event in told] == [ResultRetired, ResultRestored]
    # A flag of before is not touched by either.
    await worklist.flag(ANYONE, one.id, True)
    entry = await worklist.retire(ANYONE, one.id, "test")
    assert entry is not None
    assert entry.flagged_at is not None


async def test_another_site_s_result_is_none(database: Database, told: list[Event]) -> None:
    one = made(0)
    await keep(database, one)
    worklist = verbs(database, heard(told)).worklist
    assert await worklist.of(ELSEWHERE, one.id) is None
    assert await worklist.flag(ELSEWHERE, one.id, True) is None
    assert await worklist.assign(ELSEWHERE, one.id, None) is None
    assert await worklist.retire(ELSEWHERE, one.id, "test") is None
    assert await worklist.restore(ELSEWHERE, one.id) is None
    assert told == []
