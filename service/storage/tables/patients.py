"""The table of patients."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from service.storage.tables.columns import Base, UtcDateTime, site


class PatientRow(Base):
    """A patient's identifier and who issued it, under a random key.

    The key is what addresses and logs may hold.
    """

    __tablename__ = "patient"
    __table_args__ = (
        UniqueConstraint("identifier", "issuer", "site", name="uq_patient_identifier"),
    )

    key: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    site: Mapped[str] = site()
    # Empty for a pseudonym that somebody has typed.
    issuer: Mapped[str] = mapped_column(String(64))
    identifier: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
