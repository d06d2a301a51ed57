"""What a client named its request by, so that the same request makes one prediction."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("prediction", sa.Column("idempotency_key", sa.String(64), nullable=True))
    # An index, not a constraint: SQLite cannot add one to a table that is there.
    op.create_index("uq_prediction_idempotency_key", "prediction", ["idempotency_key"], unique=True)


def downgrade() -> None:
    op.drop_index("uq_prediction_idempotency_key", "prediction")
    op.drop_column("prediction", "idempotency_key")
