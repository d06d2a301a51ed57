"""Migration of questions to archives on filled databases of the version before, up and down."""

from __future__ import annotations

import json
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

BEFORE, ITSELF = "0018", "0019"
MOMENT = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
def before(empty: Settings) -> Any:
    engine = sa.create_engine(database_url(empty))
    with engine.begin() as connection:
        Schema.upgrade(connection, BEFORE)
        yield connection
    engine.dispose()


def test_all_is_as_it_was_after_the_way_back(before: Connection) -> None:
    put(
        before, "ledger_arrival", id=uuid4(), site="default", sop_uid="1.1", sop_class_uid="1.2",
        series_uid="1.3", study_uid="1.4", sha256="0", size=1, peer="dxa", received_at=MOMENT,
        state="held",
    )  # fmt: skip
    put(
        before, "imaging_order", site="default", accession="A", placer="", filler="",
        study_uid="1.4", cancelled=False, changed_at=MOMENT,
    )  # fmt: skip
    old = everything(before)
    Schema.upgrade(before, ITSELF)
    new = everything(before)
    assert set(new) - set(old) == {"ledger_pull", "ledger_pull_study"}
    assert [row["destinations"] for row in new["ledger_arrival"]] == [None]
    before.execute(sa.text("UPDATE ledger_arrival SET destinations = '[\"pacs\"]'"))
    pull = uuid4()
    put(
        before, "ledger_pull", id=pull, site="default", archive="vna", scheduled=False,
        question=json.dumps({"patient": "4711"}), state="asked", created_at=MOMENT,
        changed_at=MOMENT, attempts=0, due_at=MOMENT, fence=0,
    )  # fmt: skip
    put(
        before, "ledger_pull_study", pull_id=pull, study_uid="1.4", objects=0, state="waiting",
        changed_at=MOMENT,
    )  # fmt: skip
    Schema.downgrade(before, BEFORE)
    assert everything(before) == old
    Schema.upgrade(before)
    assert Schema.state(before) == "current"
