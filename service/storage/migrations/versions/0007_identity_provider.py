"""People of an identity provider: who they are there, sign-ins under way, roles by its groups.

Roles that are there already were given by hand. On the way back, people of the provider keep their
account and lose the way to it.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

OF_SESSION: Final = ("issuer", "idp_sub", "idp_sid", "id_token")


def _moment(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def upgrade() -> None:
    op.add_column(
        "person", sa.Column("sealed", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.create_table(
        "identity",
        sa.Column("issuer", sa.String(255), primary_key=True),
        sa.Column("subject", sa.String(512), primary_key=True),
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), nullable=False),
        _moment("created_at"),
    )
    op.create_index("ix_identity_person_id", "identity", ["person_id"])
    op.create_table(
        "sign_in_flow",
        sa.Column("hash", sa.String(64), primary_key=True),
        sa.Column("browser", sa.String(64), nullable=False),
        sa.Column("nonce", sa.String(64), nullable=False),
        sa.Column("verifier", sa.String(128), nullable=False),
        sa.Column("next", sa.String(2000), nullable=False),
        sa.Column("session", sa.String(64), nullable=True),
        sa.Column("address", sa.String(45), nullable=True),
        _moment("created_at"),
        _moment("ends_at"),
    )
    op.create_index("ix_sign_in_flow_ends_at", "sign_in_flow", ["ends_at"])
    op.create_index("ix_sign_in_flow_address", "sign_in_flow", ["address"])
    op.create_table(
        "used_token",
        sa.Column("hash", sa.String(64), primary_key=True),
        _moment("ends_at"),
    )
    op.create_index("ix_used_token_ends_at", "used_token", ["ends_at"])
    op.add_column("session", sa.Column("issuer", sa.String(255), nullable=True))
    op.add_column("session", sa.Column("idp_sub", sa.String(255), nullable=True))
    op.add_column("session", sa.Column("idp_sid", sa.String(255), nullable=True))
    op.add_column("session", sa.Column("id_token", sa.String(4000), nullable=True))
    for column in ("idp_sub", "idp_sid"):
        op.create_index(f"ix_session_{column}", "session", [column])
    _memberships(by_source=True)


def downgrade() -> None:
    _memberships(by_source=False)
    for column in ("idp_sub", "idp_sid"):
        op.drop_index(f"ix_session_{column}", "session")
    # Whoever has come by the provider has no other way in.
    op.execute("DELETE FROM session WHERE issuer IS NOT NULL")
    for column in OF_SESSION:
        op.drop_column("session", column)
    for table in ("used_token", "sign_in_flow", "identity"):
        op.drop_table(table)
    op.drop_column("person", "sealed")


def _memberships(*, by_source: bool) -> None:
    """Make the table anew: who gave a role is part of its key, or is not any more."""
    columns: list[sa.Column[Any]] = [
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), primary_key=True),
        sa.Column("site", sa.String(64), primary_key=True),
        sa.Column("role", sa.String(16), primary_key=True),
    ]
    if by_source:
        columns.append(sa.Column("source", sa.String(16), primary_key=True, server_default="hand"))
    op.rename_table("membership", "membership_before")
    if op.get_bind().dialect.name == "postgresql":
        # Its name stays with the old table, and the new one's would be another.
        op.execute("ALTER INDEX membership_pkey RENAME TO membership_before_pkey")
    op.create_table("membership", *columns)
    op.execute(
        "INSERT INTO membership (person_id, site, role) "
        "SELECT DISTINCT person_id, site, role FROM membership_before"
    )
    op.drop_table("membership_before")
