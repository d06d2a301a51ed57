"""Messages of deliveries by HL7 and FHIR, what a receiver said who refused one, and which case
a prediction belongs to."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0012"
branch_labels = None
depends_on = None

COLUMNS: Final = ("message", "detail")


def upgrade() -> None:
    op.add_column("ledger_delivery", sa.Column("message", sa.LargeBinary(), nullable=True))
    op.add_column("ledger_delivery", sa.Column("detail", sa.String(400), nullable=True))
    op.create_table(
        "ledger_judgement",
        sa.Column("case_id", sa.Uuid(), sa.ForeignKey("ledger_case.id"), primary_key=True),
        sa.Column("prediction_id", sa.Uuid(), primary_key=True),
    )
    op.create_index("ix_ledger_judgement_prediction_id", "ledger_judgement", ["prediction_id"])
    # Of cases of before: what was judged stands in them as a list of hash and prediction.
    cases = sa.table("ledger_case", sa.column("id", sa.Uuid()), sa.column("judged", sa.JSON()))
    made = sa.table(
        "ledger_judgement",
        sa.column("case_id", sa.Uuid()),
        sa.column("prediction_id", sa.Uuid()),
    )
    connection = op.get_bind()
    for case_id, judged in connection.execute(sa.select(cases.c.id, cases.c.judged)).all():
        for prediction_id in {UUID(prediction) for _, prediction in judged or ()}:
            connection.execute(sa.insert(made).values(case_id=case_id, prediction_id=prediction_id))


def downgrade() -> None:
    """What waits for an HL7 or FHIR destination cannot be sent any more."""
    op.drop_table("ledger_judgement")
    for column in COLUMNS:
        op.drop_column("ledger_delivery", column)
