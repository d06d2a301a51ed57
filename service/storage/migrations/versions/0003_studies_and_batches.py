"""What is known of a study, its patient over time, batches, and columns that lists sort by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The defaults let a front of the version before go on writing while this one starts.
    op.add_column(
        "prediction",
        sa.Column("degraded", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column("prediction", sa.Column("probability", sa.Double(), nullable=True))
    document = sa.column("document", sa.JSON())
    prediction = sa.table("prediction", sa.column("degraded"), sa.column("probability"), document)
    op.execute(
        sa.update(prediction).values(
            degraded=document["degraded"].as_boolean(),
            probability=document["probability"].as_float(),
        )
    )
    op.create_index("ix_prediction_newest", "prediction", ["created_at", "id"])
    op.create_table(
        "patient",
        sa.Column("key", sa.Uuid(), primary_key=True),
        sa.Column("reference", sa.String(64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("reference", name="uq_patient_reference"),
    )
    op.create_table(
        "study",
        sa.Column(
            "prediction_id",
            sa.Uuid(),
            sa.ForeignKey("prediction.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("patient_key", sa.Uuid(), sa.ForeignKey("patient.key"), nullable=True),
        sa.Column("facts", sa.JSON(), nullable=False),
    )
    op.create_index("ix_study_patient_key", "study", ["patient_key"])
    op.create_table(
        "batch",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("touched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("finished", sa.Integer(), nullable=False),
    )
    op.create_table(
        "batch_line",
        sa.Column(
            "batch_id", sa.Uuid(), sa.ForeignKey("batch.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("line", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("item", sa.Integer(), nullable=False),
        sa.Column(
            "prediction_id",
            sa.Uuid(),
            sa.ForeignKey("prediction.id", ondelete="SET NULL"),
            nullable=True,
        ),
        sa.Column("problem", sa.JSON(none_as_null=True), nullable=True),
    )
    op.create_index("ix_batch_line_prediction_id", "batch_line", ["prediction_id"])


def downgrade() -> None:
    op.drop_table("batch_line")
    op.drop_table("batch")
    op.drop_table("study")
    op.drop_table("patient")
    op.drop_index("ix_prediction_newest", "prediction")
    op.drop_column("prediction", "probability")
    op.drop_column("prediction", "degraded")
