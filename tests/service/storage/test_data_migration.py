"""Migration of holds and erasures on filled databases of the version before, up and down."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from service.settings import Settings
from service.storage.database import database_url
from service.storage.migrations import Schema
from tests.service.kit.records import made
from tests.service.storage.test_migrations import everything, put

BEFORE, ITSELF = "0012", "0013"
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


def reviewed(connection: Connection) -> None:
    one = made(0)
    put(
        connection, "prediction", id=one.id, created_at=one.created_at, outcome=one.outcome,
        version=one.version, degraded=one.degraded, probability=one.probability,
        document=one.model_dump(mode="json", exclude={"review"}),
    )  # fmt: skip
    put(
        connection, "review", id=uuid4(), prediction_id=one.id, number=1, created_at=MOMENT,
        action="sign", outcome=one.outcome, reviewer="A. Typed", reason=None,
    )  # fmt: skip


def goes_with_its_result(connection: Connection) -> bool:
    with connection.begin_nested() as tried:
        try:
            connection.execute(sa.text("DELETE FROM prediction"))
        except sa.exc.IntegrityError:
            return False
        finally:
            tried.rollback()
    return True


def test_a_review_keeps_its_result_from_the_upgrade_on(before: Connection) -> None:
    reviewed(before)
    old = everything(before)
    assert goes_with_its_result(before)
    Schema.upgrade(before, ITSELF)
    assert {name: it for name, it in everything(before).items() if name in old} == old
    assert not goes_with_its_result(before)
    Schema.downgrade(before, BEFORE)
    assert goes_with_its_result(before)
    assert everything(before) == old
    Schema.upgrade(before)
    assert Schema.state(before) == "current"


def test_a_review_s_number_is_its_own_after_the_upgrade(before: Connection) -> None:
    reviewed(before)
    Schema.upgrade(before, ITSELF)
    (row,) = everything(before)["review"]
    with pytest.raises(sa.exc.IntegrityError), before.begin_nested():
        put(before, "review", **{**row, "id": uuid4()})
