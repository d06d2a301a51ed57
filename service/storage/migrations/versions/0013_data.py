"""Legal holds, erased patients, a trail that may be cut and told; second factors; break-glass.

Reviews no longer go with their result. Sign-ins of before were by one factor, for their own site.
"""

from __future__ import annotations

from typing import Final, Literal

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TABLES: Final = (
    "audit_sink", "site_name", "glass", "sign_in_step", "recovery_code", "second_factor",
    "audit_checkpoint", "erasure", "hold",
)  # fmt: skip
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
    op.create_table(
        "audit_sink",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("holder", sa.Uuid(), nullable=True),
        _moment("leased_until"),
    )
    _factors()
    _glass()
    _reviews("RESTRICT")


def downgrade() -> None:
    """Holds, who was erased, and second factors are forgotten: a password alone signs in again.

    A trail that was cut does not verify there.
    """
    _reviews("CASCADE")
    # Whoever looks at another site would be let in there as at their own.
    op.execute("DELETE FROM session WHERE glass_id IS NOT NULL")
    for column in ("glass_id", "second"):
        op.drop_column("session", column)
    for table in TABLES:
        op.drop_table(table)


def _person() -> sa.Column[object]:
    return sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), nullable=False)


def _factors() -> None:
    op.create_table(
        "second_factor",
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), primary_key=True),
        sa.Column("secret", sa.String(255), nullable=False),
        _moment("created_at"),
        _moment("confirmed_at", nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=True),
    )
    op.create_table("recovery_code", sa.Column("hash", sa.String(64), primary_key=True), _person())
    op.create_index("ix_recovery_code_person_id", "recovery_code", ["person_id"])
    op.create_table(
        "sign_in_step",
        sa.Column("hash", sa.String(64), primary_key=True),
        _person(),
        sa.Column("next", sa.String(2000), nullable=False),
        _moment("ends_at"),
    )
    op.create_index("ix_sign_in_step_person_id", "sign_in_step", ["person_id"])
    op.create_index("ix_sign_in_step_ends_at", "sign_in_step", ["ends_at"])
    op.add_column(
        "session", sa.Column("second", sa.Boolean(), nullable=False, server_default=sa.false())
    )


def _glass() -> None:
    op.create_table(
        "glass",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _person(),
        sa.Column("home", sa.String(64), nullable=False),
        sa.Column("site", sa.String(64), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        _moment("began_at"),
        _moment("ends_at"),
        _moment("back_until"),
        _moment("ended_at", nullable=True),
        _moment("closed_at", nullable=True),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("remark", sa.String(500), nullable=True),
    )
    for column in ("person_id", "home", "site"):
        op.create_index(f"ix_glass_{column}", "glass", [column])
    op.add_column("session", sa.Column("glass_id", sa.Uuid(), nullable=True))
    op.create_table(
        "site_name",
        sa.Column("site", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(80), nullable=False),
    )


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
