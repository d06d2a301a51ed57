"""The table of reviews."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from service.storage.tables.columns import Base, UtcDateTime


class ReviewRow(Base):
    """What a clinician said of a prediction. Rows are added, never changed."""

    __tablename__ = "review"
    __table_args__ = (
        UniqueConstraint("prediction_id", "number", name="uq_review_prediction_id_number"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    # A signature does not go with its result by the way.
    prediction_id: Mapped[UUID] = mapped_column(
        Uuid, ForeignKey("prediction.id", ondelete="RESTRICT")
    )
    number: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    action: Mapped[str] = mapped_column(String(16))
    outcome: Mapped[str] = mapped_column(String(32))
    reviewer: Mapped[str] = mapped_column(String(80))
    reason: Mapped[str | None] = mapped_column(String(1000))
    # NULL, all three: the name was typed, before there were accounts or where nobody signs in.
    person_id: Mapped[UUID | None] = mapped_column(Uuid)
    method: Mapped[str | None] = mapped_column(String(16))
    document_sha256: Mapped[str | None] = mapped_column(String(64))
