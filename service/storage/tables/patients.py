"""The table of patients."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from service.storage.tables.columns import Base, Encrypted, UtcDateTime, site

_MERGED: Final = ("site", "issuer", "identifier")


class MergeRow(Base):
    """An identifier that a hospital has merged into another: whoever comes by it is that one."""

    __tablename__ = "patient_merge"

    site: Mapped[str] = mapped_column(String(64), primary_key=True)
    issuer: Mapped[str] = mapped_column(String(64), primary_key=True)
    identifier: Mapped[str] = mapped_column(String(64), primary_key=True)
    into_issuer: Mapped[str] = mapped_column(String(64))
    into_identifier: Mapped[str] = mapped_column(String(64))
    # As PatientRow's.
    identifier_sealed: Mapped[Any | None] = mapped_column(
        Encrypted("patient_merge.identifier_sealed", _MERGED)
    )
    into_sealed: Mapped[Any | None] = mapped_column(Encrypted("patient_merge.into_sealed", _MERGED))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


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
    # A blind index of it where it is encrypted, which it is in the column after.
    identifier: Mapped[str] = mapped_column(String(64))
    identifier_sealed: Mapped[Any | None] = mapped_column(
        Encrypted("patient.identifier_sealed", ("key",))
    )
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
