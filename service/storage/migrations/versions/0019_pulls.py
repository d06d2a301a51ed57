"""What archives are asked for, and where rules have results go."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str, length: int = 64, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=nullable)


def upgrade() -> None:
    op.add_column("ledger_arrival", sa.Column("destinations", sa.JSON(), nullable=True))
    op.create_table(
        "ledger_pull",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("site", sa.String(64), nullable=False, server_default="default"),
        _text("archive"),
        sa.Column("scheduled", sa.Boolean(), nullable=False),
        sa.Column("question", sa.JSON(), nullable=True),
        sa.Column("found", sa.Integer(), nullable=True),
        _text("state", 16),
        _text("reason", nullable=True),
        _moment("created_at"),
        _moment("changed_at"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        _moment("due_at"),
        _moment("leased_until", nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
    )
    op.create_index("ix_ledger_pull_due", "ledger_pull", ["state", "due_at"])
    op.create_table(
        "ledger_pull_study",
        sa.Column("pull_id", sa.Uuid(), sa.ForeignKey("ledger_pull.id"), primary_key=True),
        sa.Column("study_uid", sa.String(64), primary_key=True),
        sa.Column("series", sa.JSON(), nullable=True),
        sa.Column("instances", sa.Integer(), nullable=True),
        sa.Column("objects", sa.Integer(), nullable=False),
        _text("state", 16),
        _text("reason", nullable=True),
        _moment("changed_at"),
    )
    op.create_index("ix_ledger_pull_study_study_uid", "ledger_pull_study", ["study_uid"])
    op.create_index("ix_imaging_order_study_uid", "imaging_order", ["site", "study_uid"])


def downgrade() -> None:
    """What was asked for is forgotten; what came of it stays. Results go to every destination."""
    op.drop_index("ix_imaging_order_study_uid", "imaging_order")
    op.drop_table("ledger_pull_study")
    op.drop_table("ledger_pull")
    op.drop_column("ledger_arrival", "destinations")
