"""Patients in SQL: an identifier under a random key, kept as long as an exam names it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import and_, delete, exists, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.elements import ColumnElement

from service.clock import now
from service.holds import repository as holds
from service.holds.schemas import HeldError
from service.storage.tables.exams import ExamRow
from service.storage.tables.patients import MergeRow, PatientRow

TYPED: Final = ""
"""The issuer of identifiers that somebody has typed: local pseudonyms."""

_NAMED: Final = exists().where(ExamRow.patient_key == PatientRow.key)


async def find(connection: AsyncConnection, site: str, reference: str) -> UUID | None:
    """Return the key of the site's patient with exactly this reference.

    Of several issuers' none counts, but for the one that was typed without an issuer.
    """
    query = select(PatientRow.key, PatientRow.issuer).where(
        PatientRow.identifier == reference, PatientRow.site == site
    )
    found = {row.issuer: row.key for row in await connection.execute(query)}
    return next(iter(found.values())) if len(found) == 1 else found.get(TYPED)


async def search(connection: AsyncConnection, site: str, part: str, most: int) -> tuple[UUID, ...]:
    """Return keys of at most ``most`` of the site's patients whose reference contains ``part``.

    In any case: of ASCII letters and, by the database's own rules, of others.
    """
    escaped = part.translate({ord(one): f"/{one}" for one in "/%_"})
    contains = func.lower(PatientRow.identifier).like(func.lower(f"%{escaped}%"), escape="/")
    query = (
        select(PatientRow.key)
        .where(contains, PatientRow.site == site)
        .order_by(PatientRow.identifier, PatientRow.key)
        .limit(most)
    )
    return tuple(await connection.scalars(query))


async def references(
    connection: AsyncConnection, site: str, keys: Collection[UUID]
) -> tuple[tuple[str, str], ...]:
    """Return reference and issuer of those of ``keys`` that are the site's patients."""
    query = (
        select(PatientRow.identifier, PatientRow.issuer)
        .where(PatientRow.key.in_(keys), PatientRow.site == site)
        .order_by(PatientRow.identifier, PatientRow.issuer)
    )
    return tuple((row.identifier, row.issuer) for row in await connection.execute(query))


async def key_of(
    connection: AsyncConnection, site: str, reference: str, issuer: str = TYPED
) -> UUID:
    """Return the key for ``reference``, a new one if it is new; of one that a hospital has merged
    into another, that one's."""
    reference, issuer = await surviving(connection, site, reference, issuer)
    known_by = {"identifier": reference, "issuer": issuer, "site": site}
    # Two fronts may meet a new reference at once: whoever is second takes the first one's key.
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = (
        make(PatientRow)
        .values(key=uuid4(), created_at=now(), **known_by)
        .on_conflict_do_update(index_elements=list(known_by), set_={"identifier": reference})
        .returning(PatientRow.key)
    )
    return (await connection.execute(statement)).scalar_one()


async def surviving(
    connection: AsyncConnection, site: str, identifier: str, issuer: str
) -> tuple[str, str]:
    """Return identifier and issuer that these are merged into; themselves where they are not."""
    found = await connection.execute(
        select(MergeRow.into_identifier, MergeRow.into_issuer).where(
            MergeRow.site == site, MergeRow.issuer == issuer, MergeRow.identifier == identifier
        )
    )
    row = found.one_or_none()
    return (identifier, issuer) if row is None else (row.into_identifier, row.into_issuer)


async def merge(
    connection: AsyncConnection, site: str, former: tuple[str, str], into: tuple[str, str]
) -> tuple[UUID | None, UUID | None]:
    """Have ``former`` be ``into``, each identifier and issuer; return the keys, where exams moved.

    Raises :class:`~service.holds.schemas.HeldError` where a legal hold is on the former.
    """
    # What was merged into the former goes along, and nobody is merged into himself.
    await connection.execute(
        update(MergeRow)
        .where(
            MergeRow.site == site,
            MergeRow.into_identifier == former[0],
            MergeRow.into_issuer == former[1],
        )
        .values(into_identifier=into[0], into_issuer=into[1])
    )
    for one in (former, into):
        await connection.execute(
            delete(MergeRow).where(
                MergeRow.site == site, MergeRow.identifier == one[0], MergeRow.issuer == one[1]
            )
        )
    await connection.execute(
        insert(MergeRow).values(
            site=site, identifier=former[0], issuer=former[1], into_identifier=into[0],
            into_issuer=into[1], at=now(),
        )
    )  # fmt: skip
    key = await connection.scalar(select(PatientRow.key).where(_is(site, *former)))
    if key is None:
        return None, None
    await hold(connection, key, site, *into)
    if await holds.is_patient_held(connection, key):
        raise HeldError
    there = await key_of(connection, site, *into)
    await connection.execute(
        update(ExamRow).where(ExamRow.patient_key == key).values(patient_key=there)
    )
    await release(connection, key)
    return key, there


async def hold(
    connection: AsyncConnection,
    patient: UUID | None,
    site: str | None = None,
    reference: str | None = None,
    issuer: str = TYPED,
) -> None:
    """Lock the patients of this key and this reference, in an order that all keep.

    Without it one could be removed while another transaction names it.
    """
    named = or_(PatientRow.key == patient, _is(site, reference, issuer))
    await connection.execute(
        select(PatientRow.key).where(named).order_by(PatientRow.key).with_for_update()
    )


async def release(connection: AsyncConnection, patient: UUID | None) -> None:
    """Remove ``patient`` unless an exam still names it, or a legal hold is on them."""
    if patient is not None:
        await connection.execute(
            delete(PatientRow).where(PatientRow.key == patient, ~_NAMED, ~holds.on_patient())
        )


def _is(site: str | None, reference: str | None, issuer: str) -> ColumnElement[bool]:
    return and_(
        PatientRow.identifier == reference, PatientRow.issuer == issuer, PatientRow.site == site
    )
