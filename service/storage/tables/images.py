"""The tables of images."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Double, ForeignKey, LargeBinary, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from service.storage.tables.columns import Base, site


class ImageRow(Base):
    """A file that was judged, however often."""

    __tablename__ = "image"

    # Made of site and hash, so that no file is kept twice at one site.
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    site: Mapped[str] = site()
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    sop_instance_uid: Mapped[str | None] = mapped_column(String(64))
    exam_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("exam.id"), index=True)


class CanonicalImageRow(Base):
    """An image as models saw it: another recipe, or other vertebrae found, make another of it."""

    __tablename__ = "canonical_image"

    # Made of the image's and the picture's own hash.
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    image_id: Mapped[UUID] = mapped_column(
        Uuid, ForeignKey("image.id", ondelete="CASCADE"), index=True
    )
    png: Mapped[bytes] = mapped_column(LargeBinary)


class SentImageRow(Base):
    """The pixels of an image as it was sent, where they are kept: no header, and no colour."""

    __tablename__ = "sent_image"

    image_id: Mapped[UUID] = mapped_column(
        Uuid, ForeignKey("image.id", ondelete="CASCADE"), primary_key=True
    )
    # Which part of the image as sent it shows, in that one's pixels.
    left: Mapped[int]
    top: Mapped[int]
    width: Mapped[int]
    height: Mapped[int]
    # Millimetres from row to row and from column to column as sent; NULL: the file does not say.
    row_spacing: Mapped[float | None] = mapped_column(Double)
    column_spacing: Mapped[float | None] = mapped_column(Double)
    png: Mapped[bytes] = mapped_column(LargeBinary)
