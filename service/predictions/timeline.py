"""One patient's exams in order, each with its prediction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, exists, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from service.exams import repository as exams
from service.exams.schemas import Exam
from service.identity.actor import Within
from service.patients.service import shown
from service.predictions.repository import COLUMNS, complete
from service.predictions.schemas import Prediction
from service.storage.encryption import plain
from service.storage.errors import UnreadableError
from service.storage.tables.exams import ExamRow
from service.storage.tables.images import ImageRow
from service.storage.tables.patients import PatientRow
from service.storage.tables.predictions import PredictionRow
from service.storage.within import seen


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """A patient's local pseudonym, and every exam that was entered under it."""

    key: UUID
    reference: str
    exams: tuple[tuple[Exam, Prediction], ...]
    unreadable: int = 0
    """Further exams that cannot be understood here."""


_LATER: Final = aliased(PredictionRow)
_JUDGED_LATER: Final = exists().where(
    _LATER.image_id == PredictionRow.image_id,
    tuple_(_LATER.created_at, _LATER.id) > tuple_(PredictionRow.created_at, PredictionRow.id),
)
"""An image that was judged several times is one point in time, with its last prediction."""


async def of(connection: AsyncConnection, within: Within, key: UUID) -> Timeline | None:
    """Return the patient's exams, each image with its last prediction; None without any."""
    statement = (
        select(*exams.COLUMNS, *COLUMNS[1:])
        .join(ImageRow, ImageRow.id == PredictionRow.image_id)
        .join(ExamRow, ExamRow.id == ImageRow.exam_id)
        .join(PatientRow, PatientRow.key == ExamRow.patient_key)
        .where(ExamRow.patient_key == key, seen(PredictionRow, within), ~_JUDGED_LATER)
        .order_by(PredictionRow.created_at, PredictionRow.id)
    )
    rows: Sequence[Row[Any]] = (await connection.execute(statement)).all()
    if not rows:
        return None
    found: list[tuple[Exam, Prediction]] = []
    for row, prediction in zip(rows, await complete(connection, rows), strict=True):
        try:
            exam = exams.read(connection, row)
        except UnreadableError:
            continue
        if isinstance(prediction, Prediction):
            found.append((exam, prediction))
    return Timeline(
        key=key,
        reference=shown(plain(rows[0].identifier, rows[0].identifier_sealed), rows[0].issuer),
        exams=tuple(found),
        unreadable=len(rows) - len(found),
    )
