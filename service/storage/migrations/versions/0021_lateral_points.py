"""Points that readers keep of lateral images, in versions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lateral_points",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column(
            "prediction_id",
            sa.Uuid(),
            sa.ForeignKey("prediction.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reader", sa.String(80), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.UniqueConstraint(
            "prediction_id", "number", name="uq_lateral_points_prediction_id_number"
        ),
    )


def downgrade() -> None:
    """Points that were kept are forgotten."""
    op.drop_table("lateral_points")
