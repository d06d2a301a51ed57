"""Patients in SQL: a local pseudonym under a random key, kept as long as an exam names it."""

from __future__ import annotations

from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import delete, exists, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from service.clock import now
from service.storage.tables import PatientRow, StudyRow

_NAMED: Final = exists().where(StudyRow.patient_key == PatientRow.key)


async def find(connection: AsyncConnection, reference: str) -> UUID | None:
    """Return the key of the patient with exactly this reference."""
    statement = select(PatientRow.key).where(PatientRow.reference == reference)
    return await connection.scalar(statement)


async def key_of(connection: AsyncConnection, reference: str) -> UUID:
    """Return the key for ``reference``, a new one if it is new."""
    # Two fronts may meet a new reference at once: whoever is second takes the first one's key.
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = (
        make(PatientRow)
        .values(key=uuid4(), reference=reference, created_at=now())
        .on_conflict_do_update(index_elements=["reference"], set_={"reference": reference})
        .returning(PatientRow.key)
    )
    return (await connection.execute(statement)).scalar_one()


async def hold(
    connection: AsyncConnection, patient: UUID | None, reference: str | None = None
) -> None:
    """Lock the patients of this key and this reference, in an order that all keep.

    Without it one could be removed while another transaction names it.
    """
    named = or_(PatientRow.key == patient, PatientRow.reference == reference)
    await connection.execute(
        select(PatientRow.key).where(named).order_by(PatientRow.key).with_for_update()
    )


async def release(connection: AsyncConnection, patient: UUID | None) -> None:
    """Remove ``patient`` unless an exam still names it."""
    if patient is not None:
        await connection.execute(delete(PatientRow).where(PatientRow.key == patient, ~_NAMED))
