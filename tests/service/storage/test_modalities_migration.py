"""Migration of other modalities on filled databases, up and down."""

from __future__ import annotations

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

BEFORE, ITSELF = "0016", "0018"
MOMENT = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
def before(empty: Settings) -> Any:
    engine = sa.create_engine(database_url(empty))
    with engine.begin() as connection:
        Schema.upgrade(connection, BEFORE)
        yield connection
    engine.dispose()


def test_exams_stay_and_what_others_measured_goes_back_with_it(before: Connection) -> None:
    exam = uuid4()
    put(before, "exam", id=exam, site="default", facts={"t_score": -1.2})
    old = everything(before)
    Schema.upgrade(before, ITSELF)
    new = everything(before)
    for name in ("ct_series", "ct_slice"):
        assert new.pop(name) == []
    (row,) = new["exam"]
    assert row.pop("modalities") is None
    assert new == old
    put(before, "ct_series", exam_id=exam, document={}, overview=b"png", received_at=MOMENT)
    put(before, "ct_slice", exam_id=exam, number=1, document={}, stored=b"x")
    before.execute(sa.text("UPDATE exam SET modalities = '{}'"))
    Schema.downgrade(before, BEFORE)
    assert everything(before) == old
