"""Exams in SQL: the facts beside an image, and the patient that they are of."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Select, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.exams.schemas import Facts, Study
from service.patients import repository as patients
from service.storage.documents import understood
from service.storage.tables import PatientRow, PredictionRow, StudyRow

COLUMNS: Final = (
    PredictionRow.id, StudyRow.facts, StudyRow.patient_key, PatientRow.reference
)  # fmt: skip
"""What :func:`read` goes by."""


async def get(connection: AsyncConnection, prediction_id: UUID) -> Study | None:
    """Return the facts, empty ones where none were entered; None without the prediction."""
    row = await _row(connection, prediction_id)
    return None if row is None else read(connection, row)


async def lock(connection: AsyncConnection, prediction_id: UUID) -> bool:
    """Hold the prediction, so that it cannot be deleted from under its facts; False without it."""
    known = select(PredictionRow.id).where(PredictionRow.id == prediction_id)
    return await connection.scalar(known.with_for_update()) is not None


async def patient_of(connection: AsyncConnection, prediction_id: UUID) -> UUID | None:
    statement = select(StudyRow.patient_key).where(StudyRow.prediction_id == prediction_id)
    return await connection.scalar(statement)


async def replace(connection: AsyncConnection, prediction_id: UUID, facts: Facts) -> Study:
    """Put ``facts`` in the place of what is kept. The prediction is held."""
    row = await _row(connection, prediction_id)
    former = None if row is None else row.patient_key
    await patients.hold(connection, former, facts.patient_reference)
    patient = None
    if facts.patient_reference is not None:
        patient = await patients.key_of(connection, facts.patient_reference)
    await connection.execute(delete(StudyRow).where(StudyRow.prediction_id == prediction_id))
    kept = facts.model_dump(mode="json", exclude={"patient_reference"}, exclude_none=True)
    if row is not None and isinstance(row.facts, dict):
        # What a newer version has entered is not forgotten because this one does not show it.
        kept |= {name: it for name, it in row.facts.items() if name not in Facts.model_fields}
    if kept or patient is not None:
        await connection.execute(
            insert(StudyRow).values(prediction_id=prediction_id, patient_key=patient, facts=kept)
        )
    await patients.release(connection, former)
    return Study(
        prediction_id=prediction_id,
        patient_key=patient,
        **{name: getattr(facts, name) for name in Facts.model_fields},
    )


def read(connection: AsyncConnection, row: Row[Any]) -> Study:
    """Return the exam in ``row``, of :data:`COLUMNS`. Raises ``UnreadableError``."""
    facts = row.facts if isinstance(row.facts, dict) else {"facts": row.facts}
    if row.facts is None:
        facts = {}
    found = {
        **facts,
        "prediction_id": row.id,
        "patient_key": row.patient_key,
        "patient_reference": row.reference,
    }
    return understood(connection, "study", Study, found)


async def _row(connection: AsyncConnection, prediction_id: UUID) -> Row[Any] | None:
    statement = _select().where(PredictionRow.id == prediction_id)
    row: Row[Any] | None = (await connection.execute(statement)).one_or_none()
    return row


def _select() -> Select[Any]:
    return (
        select(*COLUMNS)
        .outerjoin(StudyRow, StudyRow.prediction_id == PredictionRow.id)
        .outerjoin(PatientRow, PatientRow.key == StudyRow.patient_key)
    )
