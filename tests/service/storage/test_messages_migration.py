"""Migration of deliveries' messages on filled databases of the version before, up and down."""

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
from tests.service.storage.test_migrations import everything, put

pytestmark = pytest.mark.anyio

BEFORE, ITSELF = "0010", "0011"
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


def delivery(before: Connection, state: str) -> None:
    case = uuid4()
    lease = {"attempts": 0, "due_at": MOMENT, "fence": 0, "changed_at": MOMENT}
    put(
        before, "ledger_case", id=case, study_uid="1.2", revision=0, state="delivering",
        peer="dxa", created_at=MOMENT, objects=1, **lease,
    )  # fmt: skip
    put(
        before, "ledger_delivery", id=uuid4(), case_id=case, destination="pacs", state=state,
        objects="{}", created_at=MOMENT, **lease,
    )  # fmt: skip


def test_what_waits_for_a_signature_is_not_sent_by_the_version_before(before: Connection) -> None:
    Schema.upgrade(before, ITSELF)
    delivery(before, "held")
    Schema.downgrade(before, BEFORE)
    (row,) = before.execute(sa.text("SELECT state, reason FROM ledger_delivery")).all()
    assert tuple(row) == ("dead", "not_signed")


def test_all_is_as_it_was_after_the_way_back(before: Connection) -> None:
    delivery(before, "waiting")
    old = everything(before)
    Schema.upgrade(before, ITSELF)
    (row,) = before.execute(sa.text("SELECT message, detail FROM ledger_delivery")).all()
    assert tuple(row) == (None, None)
    before.execute(
        sa.text("UPDATE ledger_delivery SET message = :message, detail = 'unknown'"),
        {"message": b"MSH|"},
    )
    Schema.downgrade(before, BEFORE)
    assert everything(before) == old
    Schema.upgrade(before)
    assert Schema.state(before) == "current"
