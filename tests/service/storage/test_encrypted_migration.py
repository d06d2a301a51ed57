"""Migration 0020 on filled databases of the version before, up and down."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from service.settings import Settings
from service.storage.database import database_url
from service.storage.migrations import DowngradeError, Schema
from tests.service.storage.test_migrations import everything, put

BEFORE, ITSELF = "0019", "0020"
MOMENT = datetime(2026, 1, 2, tzinfo=UTC)
ADDED = {
    "patient": {"identifier_sealed"},
    "patient_merge": {"identifier_sealed", "into_sealed"},
    "ledger_arrival": {"patient_sealed"},
}


@pytest.fixture
def before(empty: Settings) -> Iterator[Connection]:
    engine = sa.create_engine(database_url(empty))
    with engine.begin() as connection:
        Schema.upgrade(connection, BEFORE)
        yield connection
    engine.dispose()


def test_all_is_as_it_was_after_the_way_back(before: Connection) -> None:
    put(
        before, "patient", key=uuid4(), site="default", issuer="", identifier="4711",
        created_at=MOMENT,
    )  # fmt: skip
    put(
        before, "patient_merge", site="default", issuer="", identifier="old", into_issuer="",
        into_identifier="4711", at=MOMENT,
    )  # fmt: skip
    put(
        before, "ledger_arrival", id=uuid4(), site="default", sop_uid="1.1", sop_class_uid="1.2",
        series_uid="1.3", study_uid="1.4", sha256="0", size=1, peer="dxa", received_at=MOMENT,
        state="held", patient="4711\\", data=b"abc",
    )  # fmt: skip
    old = everything(before)
    Schema.upgrade(before, ITSELF)
    new = everything(before)
    assert set(new) - set(old) == {"column_key"}
    for table, columns in ADDED.items():
        (row,), (former,) = new[table], old[table]
        assert set(row) - set(former) == columns
        assert {row[name] for name in columns} == {None}
        assert {name: row[name] for name in former} == former
    Schema.downgrade(before, BEFORE)
    assert everything(before) == old
    Schema.upgrade(before)
    assert Schema.state(before) == "current"


def test_the_way_back_is_refused_while_anything_may_be_encrypted(before: Connection) -> None:
    Schema.upgrade(before, ITSELF)
    put(before, "column_key", id=1, index_key="1.abcdefgh.AAAA", in_use=True)
    with pytest.raises(DowngradeError, match="OSTEOSERVE_COLUMN_ENCRYPTION"):
        Schema.downgrade(before, BEFORE)
    before.execute(sa.text("UPDATE column_key SET in_use = false"))
    Schema.downgrade(before, BEFORE)
