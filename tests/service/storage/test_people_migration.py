"""Migration 0006 on filled databases of the version before, up and down; nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from service.predictions.query import Query
from service.predictions.schemas import Prediction
from service.settings import Settings
from service.storage.database import Database, database_url
from service.storage.migrations import Schema
from tests.service.kit.records import ANYONE, made, verbs
from tests.service.storage.test_migrations import everything, put

pytestmark = pytest.mark.anyio

NEW = {
    "person", "membership", "session", "claim", "api_key", "attempt", "audit_event",
    "audit_pending", "audit_link", "audit_head",
}  # fmt: skip


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
        Schema.upgrade(connection, "0005")
        yield connection
    engine.dispose()


def fill(connection: Connection) -> Prediction:
    one = made(0)
    put(
        connection,
        "prediction",
        id=one.id,
        created_at=one.created_at,
        outcome=one.outcome,
        version=one.version,
        degraded=one.degraded,
        probability=one.probability,
        document=one.model_dump(mode="json", exclude={"review"}),
    )
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    put(
        connection, "review", id=uuid4(), prediction_id=one.id, number=1, created_at=moment,
        action="sign", outcome=one.outcome, reviewer="A. Typed", reason=None,
    )  # fmt: skip
    put(
        connection, "batch", id=uuid4(), created_at=moment, touched_at=moment, state="finished",
        total=1, finished=1,
    )  # fmt: skip
    return one


async def test_old_results_and_reviews_are_read_after_the_upgrade(
    empty: Settings, before: Connection
) -> None:
    one = fill(before)
    before.commit()
    database = Database(empty)
    await database.migrate()
    on = verbs(database)
    ((listed,), _) = await on.predictions.page(ANYONE, Query())
    assert isinstance(listed, Prediction)
    assert listed.model_dump(exclude={"review"}) == one.model_dump(exclude={"review"})
    (review,) = await on.reviews.of(ANYONE, one.id)
    assert (review.reviewer, review.person_id, review.intact) == ("A. Typed", None, None)
    await database.close()


async def test_all_is_as_it_was_after_the_way_back(before: Connection) -> None:
    fill(before)
    old = everything(before)
    Schema.upgrade(before, "0006")
    assert set(everything(before)) - set(old) == NEW
    # A trail that refuses to be changed is no hindrance.
    person, event = uuid4(), uuid4()
    moment = datetime(2026, 1, 3, tzinfo=UTC)
    before.execute(
        sa.text(
            "INSERT INTO person (id, login, name, created_at) VALUES (:id, :login, :name, :at)"
        ),
        {"id": _plain(before, person), "login": "ann", "name": "Ann", "at": moment.isoformat()},
    )
    put(before, "membership", person_id=person, site="default", role="viewer")
    put(before, "audit_event", id=event, at=1, kind="read", site="default", detail="{}")
    put(before, "audit_link", number=1, event_id=event, hash="x")
    Schema.downgrade(before, "0005")
    assert everything(before) == old
    Schema.upgrade(before)
    assert Schema.state(before) == "current"


def _plain(connection: Connection, id: UUID) -> str:
    return id.hex if connection.dialect.name == "sqlite" else str(id)
