"""One patient's exams in order, each with its prediction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.exams import repository as exams
from service.exams.schemas import Study
from service.predictions.repository import COLUMNS, complete
from service.predictions.schemas import Prediction
from service.storage.errors import UnreadableError
from service.storage.tables import PatientRow, PredictionRow, StudyRow


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """A patient's local pseudonym, and every exam that was entered under it."""

    key: UUID
    reference: str
    exams: tuple[tuple[Study, Prediction], ...]
    unreadable: int = 0
    """Further exams that cannot be understood here."""


async def of(connection: AsyncConnection, key: UUID) -> Timeline | None:
    """Return the exams of the patient with this key; None where there is none."""
    statement = (
        select(*exams.COLUMNS, *COLUMNS[1:])
        .join(StudyRow, StudyRow.prediction_id == PredictionRow.id)
        .join(PatientRow, PatientRow.key == StudyRow.patient_key)
        .where(StudyRow.patient_key == key)
        .order_by(PredictionRow.created_at, PredictionRow.id)
    )
    rows: Sequence[Row[Any]] = (await connection.execute(statement)).all()
    if not rows:
        return None
    found: list[tuple[Study, Prediction]] = []
    for row, prediction in zip(rows, await complete(connection, rows), strict=True):
        try:
            exam = exams.read(connection, row)
        except UnreadableError:
            continue
        if isinstance(prediction, Prediction):
            found.append((exam, prediction))
    return Timeline(
        key=key,
        reference=rows[0].reference,
        exams=tuple(found),
        unreadable=len(rows) - len(found),
    )
