"""The tables of predictions and their heat maps."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Double, ForeignKey, Index, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from service.storage.tables.columns import Base, Document, Encrypted, UtcDateTime, site


class PredictionRow(Base):
    __tablename__ = "prediction"
    __table_args__ = (
        Index("ix_prediction_newest", "site", "created_at", "id"),
        Index("uq_prediction_idempotency_key", "idempotency_key", "site", unique=True),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    site: Mapped[str] = site()
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    outcome: Mapped[str] = mapped_column(String(32), index=True)
    # Both are there unless a damaged file lost them.
    image_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("image.id"), index=True)
    canonical_image_id: Mapped[UUID | None] = mapped_column(
        Uuid, ForeignKey("canonical_image.id"), index=True
    )
    version: Mapped[str | None] = mapped_column(String(80), index=True)
    # The account of the person or program that sent it; NULL: from before there were accounts, or
    # where nobody signs in.
    created_by: Mapped[UUID | None] = mapped_column(Uuid)
    # What whoever sent it calls the file: shown to them alone.
    file_name: Mapped[str | None] = mapped_column(String(255))
    # In its place where columns are encrypted.
    file_name_sealed: Mapped[Any | None] = mapped_column(
        Encrypted("prediction.file_name_sealed", ("id",))
    )
    # The hash of what the client named its request by.
    idempotency_key: Mapped[str | None] = mapped_column(String(64))
    # Copies out of the document, for lists to filter and sort by.
    degraded: Mapped[bool]
    probability: Mapped[float | None] = mapped_column(Double)
    document: Mapped[dict[str, Any]] = mapped_column(Document)


class HeatMapRow(Base):
    """One base model's heat map of a prediction's image, by the version that voted."""

    __tablename__ = "heat_map"

    prediction_id: Mapped[UUID] = mapped_column(
        Uuid, ForeignKey("prediction.id", ondelete="CASCADE"), primary_key=True
    )
    model: Mapped[str] = mapped_column(String(16), primary_key=True)
    version: Mapped[str] = mapped_column(String(80))
    rows: Mapped[list[list[float]]] = mapped_column(Document)
