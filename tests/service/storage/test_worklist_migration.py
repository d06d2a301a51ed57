"""Migration of the worklist on filled databases of the version before, up and down."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from service.settings import Settings
from service.storage.database import Database, database_url
from service.storage.migrations import Schema
from tests.service.kit.records import ANYONE, made, verbs
from tests.service.storage.test_migrations import everything, put, rows

pytestmark = pytest.mark.anyio

BEFORE, ITSELF = "0008", "0009"
MOMENT = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
def before(empty: Settings) -> Iterator[Connection]:
    engine = sa.create_engine(database_url(empty))
    if engine.dialect.name == "sqlite":

        @sa.event.listens_for(engine, "connect")
        def _enforce(connection: Any, _: object) -> None:
            connection.isolation_level = None
            connection.execute("PRAGMA foreign_keys = ON")

        @sa.event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    with engine.begin() as connection:
        Schema.upgrade(connection, BEFORE)
        yield connection
    engine.dispose()


def judged(connection: Connection) -> UUID:
    """Put a signed prediction in, as the version before would have."""
    one = made(0)
    put(
        connection, "prediction", id=one.id, created_at=one.created_at, outcome=one.outcome,
        version=one.version, degraded=False, probability=one.probability,
        document=one.model_dump(mode="json", exclude={"review"}),
    )  # fmt: skip
    reviewed(connection, one.id, 1, "sign")
    return one.id


def reviewed(connection: Connection, prediction: UUID, number: int, action: str) -> None:
    put(
        connection, "review", id=uuid4(), prediction_id=prediction, number=number,
        created_at=MOMENT, action=action, outcome="osteoporosis", reviewer="A. Reader",
        reason="seen with the hip",
    )  # fmt: skip


def test_all_is_as_it_was_after_the_way_back(before: Connection) -> None:
    one = judged(before)
    old = everything(before)
    Schema.upgrade(before, ITSELF)
    assert set(everything(before)) - set(old) == {"worklist"}
    (row,) = rows(before, "prediction")
    assert row == {**old["prediction"][0], "file_name": None}
    put(before, "worklist", prediction_id=one, flagged_at=MOMENT, retired_reason="test")
    reviewed(before, one, 2, "comment")
    change = sa.text("UPDATE prediction SET file_name = 'scan.dcm'")
    before.execute(change)
    Schema.downgrade(before, BEFORE)
    assert everything(before) == old
    Schema.upgrade(before)
    assert Schema.state(before) == "current"


def test_a_signature_that_was_withdrawn_does_not_stand_again_by_the_way_back(
    before: Connection,
) -> None:
    one = judged(before)
    Schema.upgrade(before, ITSELF)
    reviewed(before, one, 2, "withdraw")
    Schema.downgrade(before, BEFORE)
    kept = sorted(rows(before, "review"), key=lambda row: row["number"])
    assert [row["action"] for row in kept] == ["sign", "withdraw"]


async def test_what_is_done_with_a_result_goes_with_it(empty: Settings, before: Connection) -> None:
    Schema.upgrade(before)
    one = made(0)
    document = one.model_dump(mode="json", exclude={"review"})
    put(
        before, "prediction", id=one.id, created_at=one.created_at, outcome=one.outcome,
        version=one.version, degraded=False, probability=one.probability, document=document,
        file_name="a.dcm",
    )  # fmt: skip
    put(before, "worklist", prediction_id=one.id, flagged_at=MOMENT)
    before.commit()
    database = Database(empty)
    found = await verbs(database).predictions.get(ANYONE, one.id)
    assert found is not None
    # What a sender calls a file is told nobody else, and so is in no answer.
    assert "a.dcm" not in json.dumps(found.document())
    assert await verbs(database).predictions.delete(ANYONE, one.id)
    async with database.connect() as connection:
        assert await connection.scalar(sa.text("SELECT count(*) FROM worklist")) == 0
    await database.close()
