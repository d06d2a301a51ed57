"""Migration of storage commitment on filled databases of the version before, up and down."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy.engine import Connection

from service.storage.migrations import Schema
from tests.service.storage.test_ledger_migration import before as at_ledger
from tests.service.storage.test_migrations import everything, put

pytestmark = pytest.mark.anyio

BEFORE, ITSELF = "0010", "0012"
MOMENT = datetime(2026, 1, 2, tzinfo=UTC)
LEASE = {"attempts": 0, "due_at": MOMENT, "fence": 0, "changed_at": MOMENT}
before = at_ledger


def delivered(connection: Connection, state: str, uid: str, **more: str) -> None:
    """A case with one delivery, in a state."""
    case = uuid4()
    finished = state in ("accepted", "discarded", "committed")
    put(
        connection, "ledger_case", id=case, study_uid=uid, revision=0,
        state="done" if finished else "delivering", peer="dxa", created_at=MOMENT, objects=1,
        **LEASE,
    )  # fmt: skip
    put(
        connection, "ledger_delivery", id=uuid4(), case_id=case, destination="pacs", state=state,
        objects="{}", created_at=MOMENT, **LEASE, **more,
    )  # fmt: skip


def test_all_is_as_it_was_after_the_way_back(before: Connection) -> None:
    Schema.upgrade(before, BEFORE)
    for number, state in enumerate(("accepted", "waiting", "dead")):
        delivered(before, state, f"1.{number}")
    old = everything(before)
    Schema.upgrade(before, ITSELF)
    new = everything(before)
    assert set(new) - set(old) == {"ledger_commitment"}
    put(
        before, "ledger_commitment", id=uuid4(), site="default", peer="dxa",
        transaction_uid="2.25.1", objects="[]", state="waiting", created_at=MOMENT, **LEASE,
    )  # fmt: skip
    Schema.downgrade(before, BEFORE)
    assert everything(before) == old
    Schema.upgrade(before)
    assert Schema.state(before) == "current"


def test_what_was_asked_about_counts_as_accepted_in_the_version_before(
    before: Connection,
) -> None:
    Schema.upgrade(before, ITSELF)
    delivered(before, "committing", "1.1", transaction_uid="2.25.1")
    delivered(before, "committed", "1.2", transaction_uid="2.25.2")
    delivered(before, "waiting", "1.3")
    Schema.downgrade(before, BEFORE)
    found = everything(before)
    assert sorted(row["state"] for row in found["ledger_delivery"]) == [
        "accepted", "accepted", "waiting",
    ]  # fmt: skip
    assert sorted(row["state"] for row in found["ledger_case"]) == ["delivering", "done", "done"]
    assert all("transaction_uid" not in row for row in found["ledger_delivery"])
