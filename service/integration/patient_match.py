"""Which patient of ours somebody is whom a record knows by its own identifiers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.exams.schemas import ExamError, reference
from service.identity.actor import Actor
from service.patients.repository import TYPED
from service.patients.service import Patients
from service.storage import encryption
from service.storage.tables.ledger import ArrivalRow, CaseRow
from service.storage.transaction import Transactions

MOST_NUMBERS: Final = 20
"""Identifiers of a patient that are looked for."""
MOST: Final = 10
"""Cases of a patient, the newest."""


class AmbiguousError(Exception):
    """Two patients under the numbers of one: whose it is, nobody can tell here."""


@dataclass(frozen=True, kw_only=True)
class Match:
    patient: UUID | None
    """Who has an exam under one of the numbers; None: nobody."""
    results: tuple[UUID, ...]
    """Predictions on studies of the ledger that came with one of the numbers, the newest first."""


class Matching:
    """Every method raises :class:`~service.storage.errors.StorageError` when it must."""

    def __init__(self, transactions: Transactions, patients: Patients) -> None:
        self._transactions = transactions
        self._patients = patients

    async def of(self, actor: Actor, numbers: Sequence[str], authority: str | None = None) -> Match:
        """Return what the actor's site has of the patient with one of ``numbers``.

        ``authority``: whose numbers they are; those of another are then others. Raises
        :class:`AmbiguousError`.
        """
        if not numbers:
            return Match(patient=None, results=())
        keys = {await self._patients.find(actor, one, authority) for one in numbers} - {None}
        async with self._transactions.read() as connection:
            people, results = await judged(connection, actor.site, numbers, authority)
        if len(keys) > 1 or len(people) > 1:
            raise AmbiguousError
        return Match(patient=next(iter(keys), None), results=results)


def patient_numbers(patient: Mapping[str, Any], system: str | None) -> tuple[str, ...]:
    """Return the identifiers of a FHIR resource that may be ours, as references are kept."""
    listed = patient.get("identifier")
    found: dict[str, None] = {}
    for one in listed if isinstance(listed, list) else ():
        value = one.get("value") if isinstance(one, dict) else None
        if not isinstance(value, str) or (system is not None and one.get("system") != system):
            continue
        try:
            found[reference(value)] = None
        except ExamError:
            continue
    return tuple(found)[:MOST_NUMBERS]


async def judged(
    connection: AsyncConnection, site: str, numbers: Sequence[str], authority: str | None
) -> tuple[frozenset[str], tuple[UUID, ...]]:
    """Return who has one of ``numbers`` as a Patient ID, issuers included, and the predictions on
    the newest of their studies.

    Known are those of which the ledger still has the images.
    """
    used = encryption.of(connection)
    known = [name for one in numbers for name in used.known_as(site, one)]
    theirs = or_(*(ArrivalRow.patient.startswith(f"{one}\\", autoescape=True) for one in known))
    statement = (
        select(ArrivalRow.patient, ArrivalRow.patient_sealed, CaseRow.judged)
        .join(CaseRow, CaseRow.id == ArrivalRow.case_id)
        .where(
            ArrivalRow.site == site,
            ArrivalRow.state == "held",
            ArrivalRow.patient.is_not(None),
            theirs,
            CaseRow.state.in_(("composed", "delivering", "done")),
        )
        .order_by(CaseRow.created_at.desc())
        .limit(MOST)
    )
    rows = (await connection.execute(statement)).all()
    found: dict[UUID, None] = {}
    whose = set()
    for row in rows:
        patient = encryption.plain(row.patient, row.patient_sealed)
        if authority is not None and patient.partition("\\")[2] not in (authority, TYPED):
            continue
        whose.add(patient)
        found |= {UUID(prediction): None for _, prediction in reversed(row.judged or ())}
    return frozenset(whose), tuple(found)
