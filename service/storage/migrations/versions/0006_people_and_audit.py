"""People, their roles and sessions, keys of programs, and the trail of what they do.

What was there before was made by nobody: ``created_by`` is NULL, and a review's ``reviewer`` a name
as it was typed.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SITE: Final = "default"

TABLES: Final = (
    "audit_head", "audit_link", "audit_pending", "audit_event", "attempt", "api_key", "claim",
    "session", "membership", "person",
)  # fmt: skip
"""What is made here, the last first."""

SEALED: Final = ("audit_event", "audit_link")
"""What the database itself refuses to change or remove."""


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _site() -> sa.Column[str]:
    return sa.Column("site", sa.String(64), nullable=False, server_default=SITE)


def _person(*, nullable: bool = False) -> sa.Column[object]:
    return sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), nullable=nullable)


def upgrade() -> None:
    _people()
    _programs()
    _trail()
    for table in ("prediction", "batch"):
        op.add_column(table, sa.Column("created_by", sa.Uuid(), nullable=True))
    op.add_column("review", sa.Column("person_id", sa.Uuid(), nullable=True))
    op.add_column("review", sa.Column("method", sa.String(16), nullable=True))
    op.add_column("review", sa.Column("document_sha256", sa.String(64), nullable=True))


def downgrade() -> None:
    """Names beside reviews stay; who made what, all accounts and the trail are gone."""
    for column in ("document_sha256", "method", "person_id"):
        op.drop_column("review", column)
    for table in ("batch", "prediction"):
        op.drop_column(table, "created_by")
    _unseal()
    for table in TABLES:
        op.drop_table(table)


def _people() -> None:
    op.create_table(
        "person",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("login", sa.String(64), nullable=False, unique=True),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("password", sa.String(255), nullable=True),
        _moment("created_at"),
        _moment("disabled_at", nullable=True),
    )
    op.create_table(
        "membership",
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), primary_key=True),
        sa.Column("site", sa.String(64), primary_key=True),
        sa.Column("role", sa.String(16), primary_key=True),
    )
    op.create_table(
        "session",
        sa.Column("hash", sa.String(64), primary_key=True),
        _person(),
        _site(),
        _moment("created_at"),
        _moment("seen_at"),
        _moment("ends_at"),
        _moment("signed_in_at"),
    )
    op.create_index("ix_session_person_id", "session", ["person_id"])
    op.create_table(
        "claim",
        sa.Column("hash", sa.String(64), primary_key=True),
        _person(nullable=True),
        _moment("ends_at"),
    )
    op.create_index("ix_claim_person_id", "claim", ["person_id"])
    op.create_table(
        "attempt",
        sa.Column("hash", sa.String(64), primary_key=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        _moment("last_at"),
    )
    op.create_index("ix_attempt_last_at", "attempt", ["last_at"])


def _programs() -> None:
    op.create_table(
        "api_key",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        _site(),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False, unique=True),
        _moment("created_at"),
        _moment("ends_at"),
        _moment("revoked_at", nullable=True),
        sa.Column("used_on", sa.Date(), nullable=True),
    )
    op.create_index("ix_api_key_program_id", "api_key", ["program_id"])


def _trail() -> None:
    op.create_table(
        "audit_event",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("site", sa.String(64), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("key_id", sa.Uuid(), nullable=True),
        sa.Column("address", sa.String(45), nullable=True),
        sa.Column("object_kind", sa.String(16), nullable=True),
        sa.Column("object_id", sa.String(64), nullable=True),
        sa.Column("detail", sa.String(1000), nullable=False),
    )
    for column in ("at", "kind"):
        op.create_index(f"ix_audit_event_{column}", "audit_event", [column])
    op.create_table("audit_pending", sa.Column("event_id", sa.Uuid(), primary_key=True))
    op.create_table(
        "audit_link",
        sa.Column("number", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("event_id", sa.Uuid(), nullable=False, unique=True),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.String(64), nullable=False),
    )
    _seal()


def _seal() -> None:
    """Have the database refuse what must not be done to a trail, whoever asks for it."""
    if op.get_bind().dialect.name == "sqlite":
        for table in SEALED:
            for act in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER {table}_{act.lower()} BEFORE {act} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} is only ever added to'); END"
                )
        return
    op.execute(
        "CREATE FUNCTION audit_is_kept() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is only ever added to', TG_TABLE_NAME; END $$"
    )
    for table in SEALED:
        op.execute(
            f"CREATE TRIGGER {table}_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_is_kept()"
        )


def _unseal() -> None:
    """SQLite's triggers go with their tables."""
    if op.get_bind().dialect.name == "sqlite":
        return
    for table in SEALED:
        op.execute(f"DROP TRIGGER {table}_kept ON {table}")
    op.execute("DROP FUNCTION audit_is_kept()")
