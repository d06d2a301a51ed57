"""What scanners measured, with their exams, and with their reports until there is an exam."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("exam", sa.Column("measured", sa.JSON(), nullable=True))
    op.add_column("ledger_arrival", sa.Column("numbers", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Numbers that scanners measured are forgotten, but for those taken as facts of an exam.

    Their reports are what they were before: ignored, and nothing of them is kept.
    """
    op.drop_column("exam", "measured")
    op.drop_column("ledger_arrival", "numbers")
    op.execute(
        "UPDATE ledger_arrival SET state = 'ignored', reason = 'not_an_image', patient = NULL, "
        "data = NULL WHERE state IN ('reading', 'read')"
    )
