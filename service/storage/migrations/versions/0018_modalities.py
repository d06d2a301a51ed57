"""What is measured of an exam by other modalities: ultrasound at the heel, CT."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("exam", sa.Column("modalities", sa.JSON(), nullable=True))
    op.create_table(
        "ct_series",
        sa.Column(
            "exam_id", sa.Uuid(), sa.ForeignKey("exam.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("overview", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "ct_slice",
        sa.Column(
            "exam_id",
            sa.Uuid(),
            sa.ForeignKey("ct_series.exam_id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("stored", sa.LargeBinary(), nullable=False),
    )


def downgrade() -> None:
    """What other modalities measured is forgotten, and the slices of CT."""
    op.drop_table("ct_slice")
    op.drop_table("ct_series")
    op.drop_column("exam", "modalities")
