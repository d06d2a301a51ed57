"""Migration 0022 on filled databases of the version before, up and down."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from service.settings import Settings
from service.storage.database import database_url
from service.storage.migrations import Schema
from tests.service.kit.records import made
from tests.service.storage.test_migrations import everything, put

BEFORE, ITSELF = "0021", "0022"
MOMENT = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
def before(empty: Settings) -> Iterator[Connection]:
    engine = sa.create_engine(database_url(empty))
    with engine.begin() as connection:
        Schema.upgrade(connection, BEFORE)
        yield connection
    engine.dispose()


def test_results_stay_and_launches_go_back_with_it(before: Connection) -> None:
    one = made(0)
    put(
        before, "prediction", id=one.id, site="default", created_at=one.created_at,
        outcome=one.outcome, version=one.version, degraded=False, probability=one.probability,
        document=one.model_dump(mode="json", exclude={"review"}),
    )  # fmt: skip
    old = everything(before)
    Schema.upgrade(before, ITSELF)
    new = everything(before)
    assert new.pop("launch_flow") == []
    assert new == old
    put(
        before, "launch_flow", hash="h" * 64, browser="b" * 64, record="ehr", nonce="n",
        verifier="v", created_at=MOMENT, ends_at=MOMENT,
    )  # fmt: skip
    assert len(everything(before)["launch_flow"]) == 1
    Schema.downgrade(before, BEFORE)
    assert everything(before) == old
