"""Legal holds, patients erased, a trail that may be cut; reviews no longer go with their result."""

from __future__ import annotations

from typing import Final, Literal

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0008"
branch_labels = None
depends_on = None

TABLES: Final = ("audit_checkpoint", "erasure", "hold")
"""What is made here, the last first."""

_NAMES: Final = {"fk": "fk_%(table_name)s_%(column_0_name)s"}
"""SQLite's key has no name: it is given one to be found by."""


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _site() -> sa.Column[str]:
    return sa.Column("site", sa.String(64), nullable=False, server_default="default")


def upgrade() -> None:
    op.create_table(
        "hold",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _site(),
        sa.Column("object_kind", sa.String(16), nullable=False),
        sa.Column("object_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        _moment("placed_at"),
        sa.Column("placed_by", sa.Uuid(), nullable=True),
        _moment("released_at", nullable=True),
        sa.Column("released_by", sa.Uuid(), nullable=True),
    )
    op.create_index("ix_hold_object", "hold", ["object_id", "released_at"])
    op.create_table(
        "erasure",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _site(),
        sa.Column("hash", sa.String(64), nullable=False),
        _moment("erased_at"),
    )
    op.create_index("ix_erasure_hash", "erasure", ["hash"])
    op.create_table(
        "audit_checkpoint",
        sa.Column("number", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("cut_at", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.String(64), nullable=False),
    )
    _reviews("RESTRICT")


def downgrade() -> None:
    """Holds, and who was erased, are forgotten; a trail that was cut does not verify there."""
    _reviews("CASCADE")
    for table in TABLES:
        op.drop_table(table)


def _reviews(ondelete: Literal["RESTRICT", "CASCADE"]) -> None:
    """Say what becomes of reviews whose prediction is deleted."""
    bind = op.get_bind()
    if bind.dialect.name == "postgresql":
        (key,) = sa.inspect(bind).get_foreign_keys("review")
        op.drop_constraint(str(key["name"]), "review", type_="foreignkey")
        op.create_foreign_key(
            str(key["name"]), "review", "prediction", ["prediction_id"], ["id"], ondelete=ondelete
        )
        return
    # By what is there, whichever columns that is by now: nothing references it.
    with op.batch_alter_table("review", recreate="always", naming_convention=_NAMES) as review:
        review.drop_constraint("fk_review_prediction_id", type_="foreignkey")
        review.create_foreign_key(
            "fk_review_prediction_id", "prediction", ["prediction_id"], ["id"], ondelete=ondelete
        )
