"""Migration of work items on filled databases of the version before, up and down."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from service.settings import Settings
from service.storage.database import database_url
from service.storage.migrations import Schema
from tests.service.storage.test_migrations import everything, put

BEFORE, ITSELF = "0022", "0023"
MOMENT = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
def before(empty: Settings) -> Iterator[Connection]:
    engine = sa.create_engine(database_url(empty))
    with engine.begin() as connection:
        Schema.upgrade(connection, BEFORE)
        yield connection
    engine.dispose()


def test_cases_stay_and_work_items_go_back_with_it(before: Connection) -> None:
    case = uuid4()
    put(
        before, "ledger_case", id=case, site="default", study_uid="1.4", revision=0, state="done",
        peer="dxa", created_at=MOMENT, changed_at=MOMENT, objects=1, attempts=0, due_at=MOMENT,
        fence=0,
    )  # fmt: skip
    old = everything(before)
    Schema.upgrade(before, ITSELF)
    new = everything(before)
    assert set(new) - set(old) == {"ledger_workitem"}
    put(
        before, "ledger_workitem", id=uuid4(), site="default", uid="1.5", sender="key/",
        state="in_progress", study_uid="1.4", label="AI", readiness="READY", case_id=case,
        document=b"{}", created_at=MOMENT, changed_at=MOMENT, due_at=MOMENT,
    )  # fmt: skip
    Schema.downgrade(before, BEFORE)
    assert everything(before) == old
    Schema.upgrade(before)
    assert Schema.state(before) == "current"
