"""Patients in SQL: an identifier under a random key, kept as long as an exam names it."""

from __future__ import annotations

from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import and_, delete, exists, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.elements import ColumnElement

from service.clock import now
from service.holds import repository as holds
from service.storage.tables.exams import ExamRow
from service.storage.tables.patients import PatientRow

TYPED: Final = ""
"""The issuer of identifiers that somebody has typed: local pseudonyms."""

_NAMED: Final = exists().where(ExamRow.patient_key == PatientRow.key)


async def find(connection: AsyncConnection, site: str, reference: str) -> UUID | None:
    """Return the key of the site's patient with exactly this reference."""
    return await connection.scalar(select(PatientRow.key).where(_is(site, reference)))


async def key_of(connection: AsyncConnection, site: str, reference: str) -> UUID:
    """Return the key for ``reference``, a new one if it is new."""
    known_by = {"identifier": reference, "issuer": TYPED, "site": site}
    # Two fronts may meet a new reference at once: whoever is second takes the first one's key.
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = (
        make(PatientRow)
        .values(key=uuid4(), created_at=now(), **known_by)
        .on_conflict_do_update(index_elements=list(known_by), set_={"identifier": reference})
        .returning(PatientRow.key)
    )
    return (await connection.execute(statement)).scalar_one()


async def hold(
    connection: AsyncConnection,
    patient: UUID | None,
    site: str | None = None,
    reference: str | None = None,
) -> None:
    """Lock the patients of this key and this reference, in an order that all keep.

    Without it one could be removed while another transaction names it.
    """
    named = or_(PatientRow.key == patient, _is(site, reference))
    await connection.execute(
        select(PatientRow.key).where(named).order_by(PatientRow.key).with_for_update()
    )


async def release(connection: AsyncConnection, patient: UUID | None) -> None:
    """Remove ``patient`` unless an exam still names it, or a legal hold is on them."""
    if patient is not None:
        await connection.execute(
            delete(PatientRow).where(PatientRow.key == patient, ~_NAMED, ~holds.on_patient())
        )


def _is(site: str | None, reference: str | None) -> ColumnElement[bool]:
    return and_(
        PatientRow.identifier == reference, PatientRow.issuer == TYPED, PatientRow.site == site
    )
