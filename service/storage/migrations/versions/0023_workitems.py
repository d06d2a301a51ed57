"""Work items of the worklist that the front serves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str, length: int = 64, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "ledger_workitem",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("site", sa.String(64), nullable=False, server_default="default"),
        _text("uid"),
        _text("sender"),
        _text("state", 16),
        _text("study_uid", nullable=True),
        _text("code", nullable=True),
        _text("label"),
        _text("readiness", 16),
        _text("transaction_uid", nullable=True),
        sa.Column("case_id", sa.Uuid(), sa.ForeignKey("ledger_case.id"), nullable=True),
        sa.Column("places", sa.JSON(), nullable=True),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        _moment("created_at"),
        _moment("changed_at"),
        _moment("due_at"),
        _moment("started_at", nullable=True),
        _moment("ended_at", nullable=True),
        sa.UniqueConstraint("uid", "site", name="uq_ledger_workitem_uid"),
    )
    op.create_index("ix_ledger_workitem_due", "ledger_workitem", ["state", "due_at"])
    op.create_index("ix_ledger_workitem_study_uid", "ledger_workitem", ["study_uid"])
    op.create_index("ix_ledger_workitem_case_id", "ledger_workitem", ["case_id"])


def downgrade() -> None:
    """Work items are forgotten; what was judged and sent for them stays."""
    op.drop_table("ledger_workitem")
