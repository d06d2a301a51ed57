"""Predictions and the images they were made of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "prediction",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(32), nullable=False),
        sa.Column("image_sha256", sa.String(64), nullable=False),
        sa.Column("version", sa.String(80), nullable=True),
        sa.Column("document", sa.JSON(), nullable=False),
    )
    for column in ("created_at", "outcome", "image_sha256", "version"):
        op.create_index(f"ix_prediction_{column}", "prediction", [column])
    op.create_table(
        "canonical",
        sa.Column(
            "prediction_id",
            sa.Uuid(),
            sa.ForeignKey("prediction.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("png", sa.LargeBinary(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("canonical")
    op.drop_table("prediction")
