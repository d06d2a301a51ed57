"""Migration 0021 on filled databases of the version before, up and down."""

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

BEFORE, ITSELF = "0020", "0021"
MOMENT = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
def before(empty: Settings) -> Iterator[Connection]:
    engine = sa.create_engine(database_url(empty))
    with engine.begin() as connection:
        Schema.upgrade(connection, BEFORE)
        yield connection
    engine.dispose()


def test_results_stay_and_points_go_back_with_it(before: Connection) -> None:
    one = made(0)
    put(
        before, "prediction", id=one.id, site="default", created_at=one.created_at,
        outcome=one.outcome, version=one.version, degraded=False, probability=one.probability,
        document=one.model_dump(mode="json", exclude={"review"}),
    )  # fmt: skip
    old = everything(before)
    Schema.upgrade(before, ITSELF)
    new = everything(before)
    assert new.pop("lateral_points") == []
    assert new == old
    kept: dict[str, Any] = {
        "prediction_id": one.id, "kept_at": MOMENT, "document": {"vertebrae": []},
    }  # fmt: skip
    put(before, "lateral_points", id=uuid4(), number=1, **kept)
    put(before, "lateral_points", id=uuid4(), number=2, reader="A. Reader", **kept)
    with pytest.raises(sa.exc.IntegrityError), before.begin_nested():
        put(before, "lateral_points", id=uuid4(), number=2, **kept)
    Schema.downgrade(before, BEFORE)
    assert everything(before) == old
