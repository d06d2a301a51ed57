"""The tables of batches."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from service.storage.tables.columns import Base, Document, UtcDateTime, site


class BatchRow(Base):
    __tablename__ = "batch"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    site: Mapped[str] = site()
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # The front that works on it says so again and again; silence means that it has died.
    touched_at: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[str] = mapped_column(String(16))
    created_by: Mapped[UUID | None] = mapped_column(Uuid)
    total: Mapped[int]
    finished: Mapped[int]


class BatchLineRow(Base):
    """One finished item; ``line`` counts in the order of finishing, ``item`` in that of sending."""

    __tablename__ = "batch_line"

    batch_id: Mapped[UUID] = mapped_column(
        Uuid, ForeignKey("batch.id", ondelete="CASCADE"), primary_key=True
    )
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    item: Mapped[int]
    # Without either, the prediction has been deleted since.
    prediction_id: Mapped[UUID | None] = mapped_column(
        Uuid, ForeignKey("prediction.id", ondelete="SET NULL"), index=True
    )
    problem: Mapped[dict[str, Any] | None] = mapped_column(Document(none_as_null=True))
