"""People and groups of the hospital's directory (SCIM)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str, length: int) -> sa.Column[object]:
    return sa.Column(name, sa.String(length), nullable=False, server_default="")


def _site() -> sa.Column[object]:
    return sa.Column("site", sa.String(64), nullable=False, server_default="default")


def upgrade() -> None:
    op.create_table(
        "directory_user",
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), primary_key=True),
        _site(),
        sa.Column("user_name", sa.String(200), nullable=True),
        sa.Column("user_key", sa.String(200), nullable=True),
        sa.Column("external_id", sa.String(400), nullable=True),
        _text("formatted", 80),
        _text("given_name", 80),
        _text("family_name", 80),
        _text("display_name", 80),
        _text("email", 254),
        _moment("created_at"),
        _moment("changed_at"),
        _moment("disabled_at", nullable=True),
        sa.UniqueConstraint("site", "user_key", name="uq_directory_user_name"),
        sa.UniqueConstraint("site", "external_id", name="uq_directory_user_external_id"),
    )
    op.create_table(
        "directory_group",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _site(),
        sa.Column("display_name", sa.String(200), nullable=False),
        sa.Column("display_key", sa.String(200), nullable=False),
        _text("external_id", 400),
        _moment("created_at"),
        _moment("changed_at"),
        sa.UniqueConstraint("site", "display_key", name="uq_directory_group_name"),
    )
    op.create_table(
        "directory_member",
        sa.Column("group_id", sa.Uuid(), sa.ForeignKey("directory_group.id"), primary_key=True),
        sa.Column(
            "person_id", sa.Uuid(), sa.ForeignKey("directory_user.person_id"), primary_key=True
        ),
    )
    op.create_index("ix_directory_member_person_id", "directory_member", ["person_id"])


def downgrade() -> None:
    """The directory's groups are forgotten, with what they gave; its keys, which open nothing then.

    Accounts stay, and those that it disabled stay disabled.
    """
    op.drop_table("directory_member")
    op.drop_table("directory_group")
    op.drop_table("directory_user")
    op.execute("DELETE FROM membership WHERE source = 'scim'")
    op.execute("DELETE FROM api_key WHERE role = 'provisioner'")
