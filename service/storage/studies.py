"""Study facts, and the patients that they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import Row, delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from service.prediction import Prediction, now
from service.storage.database import Database
from service.storage.documents import complete
from service.storage.history import without_studies
from service.storage.models import PatientRow, PredictionRow, StudyRow
from service.study import Facts, Study


@dataclass(frozen=True, kw_only=True)
class Patient:
    """A local pseudonym, and every study that was entered under it with its prediction."""

    key: UUID
    reference: str
    studies: tuple[tuple[Study, Prediction], ...]


_COLUMNS: Final = (
    PredictionRow.id, StudyRow.facts, StudyRow.patient_key, PatientRow.reference
)  # fmt: skip


class Studies:
    """Every method raises :class:`~service.storage.errors.StorageUnavailableError` when it must."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, prediction_id: UUID) -> Study | None:
        """Return the facts, empty ones where none were entered; None without the prediction."""
        statement = (
            select(*_COLUMNS)
            .outerjoin(StudyRow, StudyRow.prediction_id == PredictionRow.id)
            .outerjoin(PatientRow, PatientRow.key == StudyRow.patient_key)
            .where(PredictionRow.id == prediction_id)
        )
        async with self._database.connect() as connection:
            row = (await connection.execute(statement)).one_or_none()
        return None if row is None else _study(row)

    async def put(self, prediction_id: UUID, facts: Facts) -> Study | None:
        """Replace the facts and return them as kept; None without the prediction."""
        async with self._database.begin() as connection:
            # Locked, so that the prediction cannot be deleted from under its facts.
            known = select(PredictionRow.id).where(PredictionRow.id == prediction_id)
            if await connection.scalar(known.with_for_update()) is None:
                return None
            former = await connection.scalar(
                select(StudyRow.patient_key).where(StudyRow.prediction_id == prediction_id)
            )
            patient = await _patient(connection, facts.patient_reference)
            await connection.execute(
                delete(StudyRow).where(StudyRow.prediction_id == prediction_id)
            )
            if not facts.empty:
                kept = facts.model_dump(
                    mode="json", exclude={"patient_reference"}, exclude_none=True
                )
                await connection.execute(
                    insert(StudyRow).values(
                        prediction_id=prediction_id, patient_key=patient, facts=kept
                    )
                )
            if former is not None:
                await connection.execute(without_studies(former))
        return Study(
            prediction_id=prediction_id,
            patient_key=patient,
            **{name: getattr(facts, name) for name in Facts.model_fields},
        )

    async def find(self, reference: str) -> UUID | None:
        """Return the key of the patient with exactly this reference."""
        statement = select(PatientRow.key).where(PatientRow.reference == reference)
        async with self._database.connect() as connection:
            return await connection.scalar(statement)

    async def patient(self, key: UUID) -> Patient | None:
        statement = (
            select(*_COLUMNS, PredictionRow.document)
            .join(StudyRow, StudyRow.prediction_id == PredictionRow.id)
            .join(PatientRow, PatientRow.key == StudyRow.patient_key)
            .where(StudyRow.patient_key == key)
            .order_by(PredictionRow.created_at, PredictionRow.id)
        )
        async with self._database.connect() as connection:
            rows: Sequence[Row[Any]] = (await connection.execute(statement)).all()
            read = await complete(connection, [row.document for row in rows])
        if not rows:
            return None
        studies = tuple((_study(row), one) for row, one in zip(rows, read, strict=True) if one)
        return Patient(key=key, reference=rows[0].reference, studies=studies)


async def _patient(connection: AsyncConnection, reference: str | None) -> UUID | None:
    """Return the key for ``reference``, a new one if it is new."""
    if reference is None:
        return None
    # Two fronts may meet a new reference at once: whoever is second takes the first one's key.
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = (
        make(PatientRow)
        .values(key=uuid4(), reference=reference, created_at=now())
        .on_conflict_do_update(index_elements=["reference"], set_={"reference": reference})
        .returning(PatientRow.key)
    )
    return (await connection.execute(statement)).scalar_one()


def _study(row: Row[Any]) -> Study:
    return Study.model_validate(
        {
            **(row.facts or {}),
            "prediction_id": row.id,
            "patient_key": row.patient_key,
            "patient_reference": row.reference,
        }
    )
