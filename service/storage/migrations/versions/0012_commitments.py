"""Storage commitment: what peers ask about, and what destinations are asked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0010"
branch_labels = None
depends_on = None


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str, length: int = 64, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=nullable)


def upgrade() -> None:
    op.add_column("ledger_delivery", _text("transaction_uid", nullable=True))
    op.create_index("ix_ledger_delivery_transaction_uid", "ledger_delivery", ["transaction_uid"])
    op.create_table(
        "ledger_commitment",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("site", sa.String(64), nullable=False, server_default="default"),
        _text("peer"),
        _text("transaction_uid"),
        sa.Column("objects", sa.JSON(), nullable=False),
        _text("state", 16),
        _text("reason", nullable=True),
        _moment("created_at"),
        _moment("changed_at"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        _moment("due_at"),
        _moment("leased_until", nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.UniqueConstraint("transaction_uid", "site", "peer", name="uq_ledger_commitment_uid"),
    )
    op.create_index("ix_ledger_commitment_due", "ledger_commitment", ["state", "due_at"])


def downgrade() -> None:
    # The version before knows no such states: what was stored counts as accepted there.
    op.execute(
        "UPDATE ledger_delivery SET state = 'accepted' WHERE state IN ('committing', 'committed')"
    )
    op.execute(
        "UPDATE ledger_case SET state = 'done' WHERE state = 'delivering' AND NOT EXISTS "
        "(SELECT 1 FROM ledger_delivery WHERE ledger_delivery.case_id = ledger_case.id "
        "AND ledger_delivery.state NOT IN ('accepted', 'discarded'))"
    )
    op.drop_table("ledger_commitment")
    op.drop_index("ix_ledger_delivery_transaction_uid", "ledger_delivery")
    op.drop_column("ledger_delivery", "transaction_uid")
