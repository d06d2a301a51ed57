"""Messages of deliveries by HL7 and FHIR, and what a receiver said who refused one."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0008"
branch_labels = None
depends_on = None

COLUMNS: Final = ("message", "detail")


def upgrade() -> None:
    op.add_column("ledger_delivery", sa.Column("message", sa.LargeBinary(), nullable=True))
    op.add_column("ledger_delivery", sa.Column("detail", sa.String(400), nullable=True))


def downgrade() -> None:
    """What waits for an HL7 or FHIR destination cannot be sent any more."""
    for column in COLUMNS:
        op.drop_column("ledger_delivery", column)
