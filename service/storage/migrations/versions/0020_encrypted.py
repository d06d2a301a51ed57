"""Ciphertext beside what says who a patient is, where columns are encrypted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from service.storage.migrations import DowngradeError

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_ADDED = (
    ("patient", "identifier_sealed"),
    ("patient_merge", "identifier_sealed"),
    ("patient_merge", "into_sealed"),
    ("prediction", "file_name_sealed"),
    ("ledger_arrival", "patient_sealed"),
    ("ledger_pull", "question_sealed"),
)


def upgrade() -> None:
    for table, column in _ADDED:
        op.add_column(table, sa.Column(column, sa.Text(), nullable=True))
    op.create_table(
        "column_key",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("index_key", sa.String(200), nullable=False),
        sa.Column("in_use", sa.Boolean(), nullable=False),
    )


def downgrade() -> None:
    """The version before reads no encrypted column."""
    if op.get_bind().scalar(sa.text("SELECT count(*) FROM column_key WHERE in_use")):
        raise DowngradeError(
            "Columns are encrypted, which the version before cannot read: switch "
            "OSTEOSERVE_COLUMN_ENCRYPTION off and run 'python -m service storage reencrypt' first."
        )
    op.drop_table("column_key")
    for table, column in reversed(_ADDED):
        op.drop_column(table, column)
