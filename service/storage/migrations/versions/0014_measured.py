"""What scanners measured, and what is heard by HL7: merged patients, orders, messages taken."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


_IDENTITY: Final = ("site", "issuer", "identifier")


def _moment(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def upgrade() -> None:
    op.add_column("exam", sa.Column("measured", sa.JSON(), nullable=True))
    op.add_column("ledger_arrival", sa.Column("numbers", sa.JSON(), nullable=True))
    op.create_table(
        "patient_merge",
        *(sa.Column(name, sa.String(64), primary_key=True) for name in _IDENTITY),
        *(sa.Column(f"into_{name}", sa.String(64), nullable=False) for name in _IDENTITY[1:]),
        _moment("at"),
    )
    op.create_table(
        "imaging_order",
        *(sa.Column(name, sa.String(64), primary_key=True) for name in ("site", "accession")),
        *(sa.Column(name, sa.String(200), nullable=False) for name in ("placer", "filler")),
        sa.Column("study_uid", sa.String(64), nullable=True),
        sa.Column("cancelled", sa.Boolean(), nullable=False),
        _moment("changed_at"),
    )
    op.create_index("ix_imaging_order_changed_at", "imaging_order", ["changed_at"])
    op.create_table(
        "feed_message",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("site", sa.String(64), nullable=False, server_default="default"),
        sa.Column("feed", sa.String(64), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        _moment("received_at"),
        sa.UniqueConstraint("sha256", "site", "feed", name="uq_feed_message_sha256"),
    )
    op.create_index("ix_feed_message_received_at", "feed_message", ["received_at"])


def downgrade() -> None:
    """Numbers that scanners measured are forgotten, but for those taken as facts of an exam.

    Their reports are what they were before: ignored, and nothing of them is kept. Patients that
    were merged stay so; who comes by the number of before is somebody else there.
    """
    for table in ("feed_message", "imaging_order", "patient_merge"):
        op.drop_table(table)
    op.drop_column("exam", "measured")
    op.drop_column("ledger_arrival", "numbers")
    op.execute(
        "UPDATE ledger_arrival SET state = 'ignored', reason = 'not_an_image', patient = NULL, "
        "data = NULL WHERE state IN ('reading', 'read')"
    )
