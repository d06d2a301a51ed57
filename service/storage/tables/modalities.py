"""The tables of other modalities' images: series of CT, and their slices."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Integer, LargeBinary, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from service.storage.tables.columns import Base, Document, UtcDateTime


class CtSeriesRow(Base):
    """The series of an exam that is being measured, or was: one an exam. No header is kept."""

    __tablename__ = "ct_series"

    exam_id: Mapped[UUID] = mapped_column(
        Uuid, ForeignKey("exam.id", ondelete="CASCADE"), primary_key=True
    )
    document: Mapped[dict[str, Any]] = mapped_column(Document)
    # A sagittal view as PNG, by which a slice is chosen.
    overview: Mapped[bytes] = mapped_column(LargeBinary)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)


class CtSliceRow(Base):
    """One slice: its stored values, deflated. Once a region is kept, that slice alone stays."""

    __tablename__ = "ct_slice"

    exam_id: Mapped[UUID] = mapped_column(
        Uuid, ForeignKey("ct_series.exam_id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    document: Mapped[dict[str, Any]] = mapped_column(Document)
    stored: Mapped[bytes] = mapped_column(LargeBinary)
