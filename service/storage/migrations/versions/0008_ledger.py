"""The gateway's ledger: what scanners sent, what was made of it, and where that went."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLES: Final = (
    "ledger_event", "ledger_delivery", "ledger_result", "ledger_arrival", "ledger_case",
)  # fmt: skip
"""What is made here, the last first."""


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _site() -> sa.Column[str]:
    return sa.Column("site", sa.String(64), nullable=False, server_default="default")


def _text(name: str, length: int = 64, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=nullable)


def _case(*, nullable: bool = False) -> sa.Column[object]:
    return sa.Column("case_id", sa.Uuid(), sa.ForeignKey("ledger_case.id"), nullable=nullable)


def _lease() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("attempts", sa.Integer(), nullable=False),
        _moment("due_at"),
        _moment("leased_until", nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
    )


def upgrade() -> None:
    op.create_table(
        "ledger_case",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _site(),
        _text("study_uid"),
        sa.Column("revision", sa.Integer(), nullable=False),
        _text("state", 16),
        _text("reason", nullable=True),
        _text("peer"),
        _moment("created_at"),
        _moment("changed_at"),
        sa.Column("objects", sa.Integer(), nullable=False),
        sa.Column("judged", sa.JSON(), nullable=True),
        *_lease(),
        sa.UniqueConstraint("study_uid", "site", "revision", name="uq_ledger_case_study_uid"),
    )
    op.create_index("ix_ledger_case_due", "ledger_case", ["state", "due_at"])
    op.create_table(
        "ledger_arrival",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _site(),
        _case(nullable=True),
        _text("sop_uid"),
        _text("sop_class_uid"),
        _text("series_uid"),
        _text("study_uid"),
        _text("sha256"),
        sa.Column("size", sa.Integer(), nullable=False),
        _text("peer"),
        _moment("received_at"),
        _text("state", 16),
        _text("reason", nullable=True),
        _text("patient", 200, nullable=True),
        sa.Column("data", sa.LargeBinary(), nullable=True),
        sa.UniqueConstraint("sop_uid", "site", "sha256", name="uq_ledger_arrival_sop_uid"),
    )
    op.create_index("ix_ledger_arrival_case_id", "ledger_arrival", ["case_id"])
    op.create_index("ix_ledger_arrival_study_uid", "ledger_arrival", ["study_uid", "site"])
    op.create_table(
        "ledger_result",
        sa.Column("sop_uid", sa.String(64), primary_key=True),
        _case(),
        sa.Column("number", sa.Integer(), nullable=False),
        _text("sop_class_uid"),
        _text("series_uid"),
        sa.Column("data", sa.LargeBinary(), nullable=True),
    )
    for column in ("case_id", "series_uid"):
        op.create_index(f"ix_ledger_result_{column}", "ledger_result", [column])
    op.create_table(
        "ledger_delivery",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _case(),
        _text("destination"),
        _text("state", 16),
        _text("reason", nullable=True),
        sa.Column("objects", sa.JSON(), nullable=False),
        _moment("created_at"),
        _moment("changed_at"),
        *_lease(),
        sa.UniqueConstraint("case_id", "destination", name="uq_ledger_delivery_case_id"),
    )
    op.create_index("ix_ledger_delivery_due", "ledger_delivery", ["state", "due_at"])
    op.create_table(
        "ledger_event",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            primary_key=True,
            autoincrement=True,
        ),
        _moment("at"),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("about_id", sa.Uuid(), nullable=True),
        _text("state", 16),
        _text("reason", 200, nullable=True),
    )
    op.create_index("ix_ledger_event_case_id", "ledger_event", ["case_id"])


def downgrade() -> None:
    """What was received and made is gone, delivered or not."""
    for table in TABLES:
        op.drop_table(table)
