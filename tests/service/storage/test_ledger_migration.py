"""Migration of the ledger on filled databases of the version before, up and down."""

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

BEFORE, ITSELF = "0007", "0008"
NEW = {"ledger_case", "ledger_arrival", "ledger_result", "ledger_delivery", "ledger_event"}
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


def test_all_is_as_it_was_after_the_way_back(before: Connection) -> None:
    put(
        before, "batch", id=uuid4(), created_at=MOMENT, touched_at=MOMENT, state="finished",
        total=1, finished=1,
    )  # fmt: skip
    old = everything(before)
    Schema.upgrade(before, ITSELF)
    assert {name: rows for name, rows in everything(before).items() if name not in NEW} == old
    assert set(everything(before)) - set(old) == NEW
    case = uuid4()
    lease = {"attempts": 0, "due_at": MOMENT, "fence": 0, "changed_at": MOMENT}
    put(
        before, "ledger_case", id=case, study_uid="1.2", revision=0, state="done", peer="dxa",
        created_at=MOMENT, objects=1, **lease,
    )  # fmt: skip
    put(
        before, "ledger_arrival", id=uuid4(), case_id=case, sop_uid="1.3", sop_class_uid="1.4",
        series_uid="1.5", study_uid="1.2", sha256="0" * 64, size=3, peer="dxa",
        received_at=MOMENT, state="held", patient="P\\", data=b"abc",
    )  # fmt: skip
    put(
        before, "ledger_result", sop_uid="2.25.1", case_id=case, number=0, sop_class_uid="1.6",
        series_uid="2.25.2", data=b"abc",
    )  # fmt: skip
    put(
        before, "ledger_delivery", id=uuid4(), case_id=case, destination="pacs", state="accepted",
        objects="{}", created_at=MOMENT, **lease,
    )  # fmt: skip
    put(before, "ledger_event", at=MOMENT, case_id=case, state="done")
    Schema.downgrade(before, BEFORE)
    assert everything(before) == old
    Schema.upgrade(before)
    assert Schema.state(before) == "current"
