"""Study facts, and the patients that they belong to."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import Row, Select, delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from service.clock import now
from service.exams.schemas import Facts, Study
from service.predictions.listing import held, without_studies
from service.predictions.schemas import Prediction
from service.storage.database import Database
from service.storage.documents import COLUMNS, complete, understood
from service.storage.errors import ChangedError, UnreadableError
from service.storage.tables import PatientRow, PredictionRow, StudyRow


@dataclass(frozen=True, kw_only=True)
class Patient:
    """A local pseudonym, and every study that was entered under it with its prediction."""

    key: UUID
    reference: str
    studies: tuple[tuple[Study, Prediction], ...]
    unreadable: int = 0
    """Further studies that cannot be understood here."""


_COLUMNS: Final = (
    PredictionRow.id, StudyRow.facts, StudyRow.patient_key, PatientRow.reference
)  # fmt: skip


class Studies:
    """Every method raises :class:`~service.storage.errors.StorageError` when it must."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, prediction_id: UUID) -> Study | None:
        """Return the facts, empty ones where none were entered; None without the prediction."""
        statement = _select().where(PredictionRow.id == prediction_id)
        async with self._database.connect() as connection:
            row = (await connection.execute(statement)).one_or_none()
        return None if row is None else _study(self._database, row)

    async def put(
        self, prediction_id: UUID, facts: Facts, seen: Collection[str] | None = None
    ) -> Study | None:
        """Replace the facts and return them as kept; None without the prediction.

        Where ``seen`` is given, only if the :attr:`~service.exams.schemas.Facts.version` there now
        is one of them or says the same already, else
        :class:`~service.storage.errors.ChangedError` holds it.
        """

        async def work(connection: AsyncConnection) -> Study | None:
            # Locked, so that the prediction cannot be deleted from under its facts.
            known = select(PredictionRow.id).where(PredictionRow.id == prediction_id)
            if await connection.scalar(known.with_for_update()) is None:
                return None
            statement = _select().where(PredictionRow.id == prediction_id)
            row = (await connection.execute(statement)).one()
            if seen is not None:
                kept = _study(self._database, row)
                if kept.version not in {*seen, facts.version}:
                    raise ChangedError(kept)
            return await _replace(connection, row, facts)

        return await self._database.write(work)

    async def find(self, reference: str) -> UUID | None:
        """Return the key of the patient with exactly this reference."""
        statement = select(PatientRow.key).where(PatientRow.reference == reference)
        async with self._database.connect() as connection:
            return await connection.scalar(statement)

    async def patient(self, key: UUID) -> Patient | None:
        statement = (
            select(*_COLUMNS, *COLUMNS[1:])
            .join(StudyRow, StudyRow.prediction_id == PredictionRow.id)
            .join(PatientRow, PatientRow.key == StudyRow.patient_key)
            .where(StudyRow.patient_key == key)
            .order_by(PredictionRow.created_at, PredictionRow.id)
        )
        async with self._database.connect() as connection:
            rows: Sequence[Row[Any]] = (await connection.execute(statement)).all()
            read = await complete(self._database, connection, rows)
        if not rows:
            return None
        studies, unreadable = [], 0
        for row, found in zip(rows, read, strict=True):
            try:
                study = _study(self._database, row)
            except UnreadableError:
                unreadable += 1
                continue
            if isinstance(found, Prediction):
                studies.append((study, found))
            else:
                unreadable += 1
        return Patient(
            key=key,
            reference=rows[0].reference,
            studies=tuple(studies),
            unreadable=unreadable,
        )


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


async def _replace(connection: AsyncConnection, row: Row[Any], facts: Facts) -> Study:
    """Put ``facts`` in the place of what is in ``row``."""
    former = row.patient_key
    await held(connection, former, facts.patient_reference)
    patient = await _patient(connection, facts.patient_reference)
    await connection.execute(delete(StudyRow).where(StudyRow.prediction_id == row.id))
    kept = facts.model_dump(mode="json", exclude={"patient_reference"}, exclude_none=True)
    if isinstance(row.facts, dict):
        # What a newer version has entered is not forgotten because this one does not show it.
        kept |= {name: it for name, it in row.facts.items() if name not in Facts.model_fields}
    if kept or patient is not None:
        await connection.execute(
            insert(StudyRow).values(prediction_id=row.id, patient_key=patient, facts=kept)
        )
    if former is not None:
        await connection.execute(without_studies(former))
    return Study(
        prediction_id=row.id,
        patient_key=patient,
        **{name: getattr(facts, name) for name in Facts.model_fields},
    )


def _select() -> Select[Any]:
    return (
        select(*_COLUMNS)
        .outerjoin(StudyRow, StudyRow.prediction_id == PredictionRow.id)
        .outerjoin(PatientRow, PatientRow.key == StudyRow.patient_key)
    )


def _study(database: Database, row: Row[Any]) -> Study:
    facts = row.facts if isinstance(row.facts, dict) else {"facts": row.facts}
    if row.facts is None:
        facts = {}
    found = {
        **facts,
        "prediction_id": row.id,
        "patient_key": row.patient_key,
        "patient_reference": row.reference,
    }
    return understood(database, "study", Study, found)
