"""The table of exams."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from service.storage.tables.columns import Base, Document, site


class ExamRow(Base):
    """One visit to a scanner, which made one image or several. DICOM calls it a study."""

    __tablename__ = "exam"
    __table_args__ = (
        UniqueConstraint("study_instance_uid", "site", name="uq_exam_study_instance_uid"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    site: Mapped[str] = site()
    patient_key: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("patient.key"), index=True)
    study_instance_uid: Mapped[str | None] = mapped_column(String(64))
    acquired_on: Mapped[date | None]
    device_vendor: Mapped[str | None] = mapped_column(String(32))
    device_serial: Mapped[str | None] = mapped_column(String(32))
    facts: Mapped[dict[str, Any]] = mapped_column(Document)
    # What the scanner's own objects tell, by their keys, and which facts are taken from it.
    measured: Mapped[dict[str, Any] | None] = mapped_column(Document(none_as_null=True))
    # What other modalities measured: service.medicine.modalities.entered.
    modalities: Mapped[dict[str, Any] | None] = mapped_column(Document(none_as_null=True))
