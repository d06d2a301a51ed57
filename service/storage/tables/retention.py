"""The tables of what is kept longer than planned, and of what is gone for good."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from service.storage.tables.columns import Base, UtcDateTime, site


class HoldRow(Base):
    """A legal hold: nothing of a patient, or of a result, is removed until it is released."""

    __tablename__ = "hold"
    __table_args__ = (Index("ix_hold_object", "object_id", "released_at"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    site: Mapped[str] = site()
    # patient or result. No foreign key: the row tells of the hold when both are long gone.
    object_kind: Mapped[str] = mapped_column(String(16))
    object_id: Mapped[UUID] = mapped_column(Uuid)
    reason: Mapped[str] = mapped_column(String(200))
    placed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    placed_by: Mapped[UUID | None] = mapped_column(Uuid)
    released_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    released_by: Mapped[UUID | None] = mapped_column(Uuid)


class ErasureRow(Base):
    """A patient who was erased, under a keyed hash: applied again to a backup from before."""

    __tablename__ = "erasure"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    site: Mapped[str] = site()
    hash: Mapped[str] = mapped_column(String(64), index=True)
    erased_at: Mapped[datetime] = mapped_column(UtcDateTime)
