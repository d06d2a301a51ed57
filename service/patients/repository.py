"""Patients in SQL: an identifier under a random key, kept as long as an exam names it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import and_, delete, exists, func, insert, or_, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.elements import ColumnElement

from service.clock import now
from service.holds import repository as holds
from service.holds.schemas import HeldError
from service.storage import encryption
from service.storage.encryption import Encryption
from service.storage.tables.columns import Cell
from service.storage.tables.exams import ExamRow
from service.storage.tables.patients import MergeRow, PatientRow

TYPED: Final = ""
"""The issuer of identifiers that somebody has typed: local pseudonyms."""

_NAMED: Final = exists().where(ExamRow.patient_key == PatientRow.key)


async def find(
    connection: AsyncConnection, site: str, reference: str, issuer: str | None = None
) -> UUID | None:
    """Return the key of the site's patient with exactly this reference.

    Of several issuers' none counts, but for the one that was typed without an issuer; with
    ``issuer`` that one's counts, and else the one that was typed.
    """
    query = select(PatientRow.key, PatientRow.issuer).where(
        PatientRow.identifier.in_(encryption.of(connection).known_as(site, reference)),
        PatientRow.site == site,
    )
    found = {row.issuer: row.key for row in await connection.execute(query)}
    if issuer is not None:
        return found.get(issuer, found.get(TYPED))
    return next(iter(found.values())) if len(found) == 1 else found.get(TYPED)


async def search(connection: AsyncConnection, site: str, part: str, most: int) -> tuple[UUID, ...]:
    """Return keys of at most ``most`` of the site's patients whose reference contains ``part``.

    In any case: of ASCII letters and, by the database's own rules, of others. Of a reference that
    is encrypted no part is found, but the whole.
    """
    escaped = part.translate({ord(one): f"/{one}" for one in "/%_"})
    contains = func.lower(PatientRow.identifier).like(func.lower(f"%{escaped}%"), escape="/")
    is_whole = PatientRow.identifier.in_(encryption.of(connection).known_as(site, part))
    query = (
        select(PatientRow.key)
        .where(or_(and_(contains, PatientRow.identifier_sealed.is_(None)), is_whole))
        .where(PatientRow.site == site)
        .order_by(PatientRow.identifier, PatientRow.key)
        .limit(most)
    )
    return tuple(await connection.scalars(query))


async def references(
    connection: AsyncConnection, site: str, keys: Collection[UUID]
) -> tuple[tuple[str, str], ...]:
    """Return reference and issuer of those of ``keys`` that are the site's patients."""
    query = select(PatientRow.identifier, PatientRow.identifier_sealed, PatientRow.issuer).where(
        PatientRow.key.in_(keys), PatientRow.site == site
    )
    found = [
        (encryption.plain(row.identifier, row.identifier_sealed), row.issuer)
        for row in await connection.execute(query)
    ]
    return tuple(sorted(found))


async def key_of(
    connection: AsyncConnection, site: str, reference: str, issuer: str = TYPED
) -> UUID:
    """Return the key for ``reference``, a new one if it is new; of one that a hospital has merged
    into another, that one's."""
    reference, issuer = await surviving(connection, site, reference, issuer)
    used = encryption.of(connection)
    if used.ring is not None:
        # While rows are encrypted one after the other, no constraint knows the two of a patient.
        await _turn(connection, used.known_as(site, reference)[-1])
        known = await connection.scalar(
            select(PatientRow.key).where(is_known_by(connection, site, reference, issuer))
        )
        if known is not None:
            return known
    key, kept = uuid4(), used.kept_as(site, reference)
    known_by = {"identifier": kept, "issuer": issuer, "site": site}
    sealed = Cell.of(reference, key) if used.is_on else None
    # Two fronts may meet a new reference at once: whoever is second takes the first one's key.
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = (
        make(PatientRow)
        .values(key=key, created_at=now(), identifier_sealed=sealed, **known_by)
        .on_conflict_do_update(index_elements=list(known_by), set_={"identifier": kept})
        .returning(PatientRow.key)
    )
    return (await connection.execute(statement)).scalar_one()


async def _turn(connection: AsyncConnection, hashed: str) -> None:
    """Have whoever else makes this patient wait until the transaction ends; SQLite's writers do."""
    if connection.dialect.name == "postgresql":
        await connection.execute(
            text("SELECT pg_advisory_xact_lock(hashtextextended(:patient, 0))"), {"patient": hashed}
        )


async def surviving(
    connection: AsyncConnection, site: str, identifier: str, issuer: str
) -> tuple[str, str]:
    """Return identifier and issuer that these are merged into; themselves where they are not."""
    known = encryption.of(connection).known_as(site, identifier)
    found = await connection.execute(
        select(MergeRow.into_identifier, MergeRow.into_sealed, MergeRow.into_issuer).where(
            MergeRow.site == site, MergeRow.issuer == issuer, MergeRow.identifier.in_(known)
        )
    )
    row = found.one_or_none()
    if row is None:
        return identifier, issuer
    return encryption.plain(row.into_identifier, row.into_sealed), row.into_issuer


async def merge(
    connection: AsyncConnection, site: str, former: tuple[str, str], into: tuple[str, str]
) -> tuple[UUID | None, UUID | None]:
    """Have ``former`` be ``into``, each identifier and issuer; return the keys, where exams moved.

    Raises :class:`~service.holds.schemas.HeldError` where a legal hold is on the former.
    """
    used = encryption.of(connection)
    # What was merged into the former goes along, and nobody is merged into himself.
    along = await connection.execute(
        select(MergeRow.issuer, MergeRow.identifier).where(
            MergeRow.site == site,
            MergeRow.into_identifier.in_(used.known_as(site, former[0])),
            MergeRow.into_issuer == former[1],
        )
    )
    for row in along.all():
        await connection.execute(
            update(MergeRow)
            .where(
                MergeRow.site == site,
                MergeRow.issuer == row.issuer,
                MergeRow.identifier == row.identifier,
            )
            .values(_into(used, into, site, row.issuer, row.identifier))
        )
    for one in (former, into):
        await connection.execute(
            delete(MergeRow).where(
                MergeRow.site == site,
                MergeRow.identifier.in_(used.known_as(site, one[0])),
                MergeRow.issuer == one[1],
            )
        )
    named = (site, former[1], used.kept_as(site, former[0]))
    await connection.execute(
        insert(MergeRow).values(
            site=site, issuer=former[1], identifier=named[2], at=now(),
            identifier_sealed=Cell(former[0], named) if used.is_on else None,
            **_into(used, into, *named),
        )
    )  # fmt: skip
    key = await connection.scalar(
        select(PatientRow.key).where(is_known_by(connection, site, *former))
    )
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
    named = PatientRow.key == patient
    if site is not None and reference is not None:
        named = or_(named, is_known_by(connection, site, reference, issuer))
    await connection.execute(
        select(PatientRow.key).where(named).order_by(PatientRow.key).with_for_update()
    )


async def release(connection: AsyncConnection, patient: UUID | None) -> None:
    """Remove ``patient`` unless an exam still names it, or a legal hold is on them."""
    if patient is not None:
        await connection.execute(
            delete(PatientRow).where(PatientRow.key == patient, ~_NAMED, ~holds.on_patient())
        )


def is_known_by(
    connection: AsyncConnection, site: str, reference: str, issuer: str
) -> ColumnElement[bool]:
    """Return that a patient is the site's with this reference, encrypted or not."""
    known = encryption.of(connection).known_as(site, reference)
    return and_(
        PatientRow.identifier.in_(known), PatientRow.issuer == issuer, PatientRow.site == site
    )


def arrived_as(connection: AsyncConnection, site: str, patient: str) -> tuple[str, ...]:
    """Return all that may stand for a patient in what the gateway has received, encrypted or not.

    It writes a Patient ID and its issuer as one text, the issuer as it is.
    """
    identifier, _, issuer = patient.partition("\\")
    known = encryption.of(connection).known_as(site, identifier)
    return tuple(f"{one}\\{issuer}" for one in known)


def _into(used: Encryption, into: tuple[str, str], *row: str) -> dict[str, Any]:
    """Return the values that have the row of a merge, by its own key, lead to ``into``."""
    site, identifier = row[0], into[0]
    return {
        "into_identifier": used.kept_as(site, identifier),
        "into_sealed": Cell(identifier, row) if used.is_on else None,
        "into_issuer": into[1],
    }
