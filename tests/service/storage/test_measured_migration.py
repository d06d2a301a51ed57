"""Migration of scanners' numbers on filled databases of the version before, up and down."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from service.storage.migrations import Schema
from tests.service.storage.test_ledger_migration import before as at_ledger
from tests.service.storage.test_migrations import everything, put

pytestmark = pytest.mark.anyio

BEFORE, ITSELF = "0013", "0014"
MOMENT = datetime(2026, 1, 2, tzinfo=UTC)
before = at_ledger


def arrived(connection: Connection, uid: str, **more: Any) -> None:
    values = {"state": "ignored", "reason": "not_an_image", **more}
    put(
        connection, "ledger_arrival", id=uuid4(), site="default", sop_uid=uid, sop_class_uid="1.2",
        series_uid="1.3", study_uid="1.4", sha256=uid, size=1, peer="dxa", received_at=MOMENT,
        **values,
    )  # fmt: skip


def test_all_is_as_it_was_after_the_way_back(before: Connection) -> None:
    Schema.upgrade(before, BEFORE)
    put(before, "exam", id=uuid4(), site="default", facts=json.dumps({"t_score": -1.0}))
    arrived(before, "1.1")
    old = everything(before)
    Schema.upgrade(before, ITSELF)
    new = everything(before)
    assert set(new) - set(old) == {"patient_merge", "imaging_order", "feed_message"}
    before.execute(sa.text("UPDATE exam SET measured = '{}'"))
    put(
        before, "patient_merge", site="default", issuer="H", identifier="1", into_issuer="H",
        into_identifier="2", at=MOMENT,
    )  # fmt: skip
    put(
        before, "imaging_order", site="default", accession="A", placer="", filler="",
        cancelled=False, changed_at=MOMENT,
    )  # fmt: skip
    put(
        before, "feed_message", id=uuid4(), feed="engine", sha256="0", kind="ADT^A08",
        received_at=MOMENT,
    )  # fmt: skip
    Schema.downgrade(before, BEFORE)
    assert everything(before) == old
    Schema.upgrade(before)
    assert Schema.state(before) == "current"


def test_reports_are_ignored_in_the_version_before(before: Connection) -> None:
    Schema.upgrade(before, ITSELF)
    arrived(before, "1.1", state="reading", reason=None, data=b"x", patient="P\\")
    arrived(before, "1.2", state="read", reason=None, data=b"x", patient="P\\", numbers="{}")
    Schema.downgrade(before, BEFORE)
    for row in everything(before)["ledger_arrival"]:
        told = [row[name] for name in ("state", "reason", "data", "patient")]
        assert told == ["ignored", "not_an_image", None, None]
