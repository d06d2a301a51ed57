"""The table of the worklist."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from service.storage.tables.columns import Base, UtcDateTime


class WorklistRow(Base):
    """What the people of a site do with a result beside reading it; no row: nothing yet."""

    __tablename__ = "worklist"

    prediction_id: Mapped[UUID] = mapped_column(
        Uuid, ForeignKey("prediction.id", ondelete="CASCADE"), primary_key=True
    )
    flagged_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    flagged_by: Mapped[UUID | None] = mapped_column(Uuid)
    assigned_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    assigned_by: Mapped[UUID | None] = mapped_column(Uuid)
    assigned_to: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("person.id"), index=True)
    retired_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    retired_by: Mapped[UUID | None] = mapped_column(Uuid)
    # One of a closed list: the trail keeps it, too, and no name with it.
    retired_reason: Mapped[str | None] = mapped_column(String(16))
