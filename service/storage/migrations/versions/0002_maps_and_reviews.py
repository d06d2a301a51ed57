"""Heat maps, made when first asked for, and what clinicians say of a prediction."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "heat_map",
        sa.Column(
            "prediction_id",
            sa.Uuid(),
            sa.ForeignKey("prediction.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("model", sa.String(16), primary_key=True),
        sa.Column("version", sa.String(80), nullable=False),
        sa.Column("rows", sa.JSON(), nullable=False),
    )
    op.create_table(
        "review",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column(
            "prediction_id",
            sa.Uuid(),
            sa.ForeignKey("prediction.id", ondelete="CASCADE"),
            nullable=False,
        ),
        # Which review of the prediction, from 1: two written at once cannot both be the last.
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("outcome", sa.String(32), nullable=False),
        sa.Column("reviewer", sa.String(80), nullable=False),
        sa.Column("reason", sa.String(1000), nullable=True),
        sa.UniqueConstraint("prediction_id", "number", name="uq_review_prediction_id_number"),
    )


def downgrade() -> None:
    op.drop_table("review")
    op.drop_table("heat_map")
