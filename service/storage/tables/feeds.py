"""The tables of what the gateway hears by HL7."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from service.storage.tables.columns import Base, UtcDateTime, site


class FeedMessageRow(Base):
    """A message that was taken: what it was and what it was answered, and nothing that it said."""

    __tablename__ = "feed_message"
    __table_args__ = (
        UniqueConstraint("sha256", "site", "feed", name="uq_feed_message_sha256"),
        Index("ix_feed_message_received_at", "received_at"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    site: Mapped[str] = site()
    feed: Mapped[str] = mapped_column(String(64))
    sha256: Mapped[str] = mapped_column(String(64))
    # ADT^A40 and the like.
    kind: Mapped[str] = mapped_column(String(16))
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)


class OrderRow(Base):
    """An order for imaging, by the accession number that its images have. No patient is in it."""

    __tablename__ = "imaging_order"
    __table_args__ = (Index("ix_imaging_order_study_uid", "site", "study_uid"),)

    site: Mapped[str] = mapped_column(String(64), primary_key=True)
    accession: Mapped[str] = mapped_column(String(64), primary_key=True)
    placer: Mapped[str] = mapped_column(String(200))
    filler: Mapped[str] = mapped_column(String(200))
    study_uid: Mapped[str | None] = mapped_column(String(64))
    cancelled: Mapped[bool]
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
