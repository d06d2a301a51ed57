"""The pixels of images as they were sent, for whoever reads them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sent_image",
        sa.Column(
            "image_id",
            sa.Uuid(),
            sa.ForeignKey("image.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in ("left", "top", "width", "height")
        ),
        sa.Column("row_spacing", sa.Double(), nullable=True),
        sa.Column("column_spacing", sa.Double(), nullable=True),
        sa.Column("png", sa.LargeBinary(), nullable=False),
    )


def downgrade() -> None:
    """What models saw of the images stays; as they were sent they are gone."""
    op.drop_table("sent_image")
