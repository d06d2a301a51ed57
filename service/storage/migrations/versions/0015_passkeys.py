"""Passkeys, what they were asked to sign, which sign-ins were by one; entries by account."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _person(*, nullable: bool = False) -> sa.Column[object]:
    return sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "passkey",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _person(),
        sa.Column("hash", sa.String(64), nullable=False, unique=True),
        sa.Column("credential", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("counter", sa.BigInteger(), nullable=False),
        sa.Column("synced", sa.Boolean(), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        _moment("created_at"),
        _moment("used_at", nullable=True),
    )
    op.create_index("ix_passkey_person_id", "passkey", ["person_id"])
    op.create_table(
        "passkey_challenge",
        sa.Column("hash", sa.String(64), primary_key=True),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("bound", sa.String(64), nullable=False),
        _person(nullable=True),
        sa.Column("address", sa.String(45), nullable=True),
        _moment("ends_at"),
    )
    for column in ("person_id", "address", "ends_at"):
        op.create_index(f"ix_passkey_challenge_{column}", "passkey_challenge", [column])
    op.add_column(
        "session", sa.Column("by_passkey", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    account = sa.text("object_kind = 'account'")
    op.create_index(
        "ix_audit_event_account",
        "audit_event",
        ["object_id", "at"],
        sqlite_where=account,
        postgresql_where=account,
    )


def downgrade() -> None:
    """Passkeys are forgotten, and with them recovery codes of whoever had nothing else.

    Who signed in by one has to do so by password: their sign-ins end.
    """
    op.drop_index("ix_audit_event_account", "audit_event")
    op.execute("DELETE FROM session WHERE by_passkey")
    op.drop_column("session", "by_passkey")
    op.drop_table("passkey_challenge")
    op.drop_table("passkey")
    op.execute(
        "DELETE FROM recovery_code WHERE person_id NOT IN "
        "(SELECT person_id FROM second_factor WHERE confirmed_at IS NOT NULL)"
    )
