"""The worklist: flags, who reads what, results that were retired, and names of files as sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("prediction", sa.Column("file_name", sa.String(255), nullable=True))
    op.create_table(
        "worklist",
        sa.Column(
            "prediction_id",
            sa.Uuid(),
            sa.ForeignKey("prediction.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        *_act("flagged"),
        *_act("assigned"),
        sa.Column("assigned_to", sa.Uuid(), sa.ForeignKey("person.id"), nullable=True),
        *_act("retired"),
        sa.Column("retired_reason", sa.String(16), nullable=True),
    )
    op.create_index("ix_worklist_assigned_to", "worklist", ["assigned_to"])


def downgrade() -> None:
    """Comments, flags, assignments and names of files are gone; retired results are listed again.

    Withdrawals of signatures stay: the version before cannot read such a result, and so does not
    show a signature that does not stand any more.
    """
    op.execute("DELETE FROM review WHERE action = 'comment'")
    op.drop_table("worklist")
    op.drop_column("prediction", "file_name")


def _act(name: str) -> tuple[sa.Column[object], ...]:
    return (
        sa.Column(f"{name}_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(f"{name}_by", sa.Uuid(), nullable=True),
    )
