"""The table of points that readers keep of lateral images."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from service.storage.tables.columns import Base, Document, UtcDateTime


class LateralPointsRow(Base):
    """Points of a result's vertebrae, as a reader kept them. Rows are added, never changed."""

    __tablename__ = "lateral_points"
    __table_args__ = (
        UniqueConstraint("prediction_id", "number", name="uq_lateral_points_prediction_id_number"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    prediction_id: Mapped[UUID] = mapped_column(
        Uuid, ForeignKey("prediction.id", ondelete="CASCADE")
    )
    number: Mapped[int]
    kept_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # NULL, both: nobody signs in.
    reader: Mapped[str | None] = mapped_column(String(80))
    person_id: Mapped[UUID | None] = mapped_column(Uuid)
    # The vertebrae and the aspect of a pixel: service.medicine.morphometry.kept. No vertebra: the
    # points were removed.
    document: Mapped[dict[str, Any]] = mapped_column(Document)
