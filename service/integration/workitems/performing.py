"""Performs the work items that ask for what we do: each follows the case of its input.

::

    scheduled ──▶ in progress     all that it names as input has arrived, and is of its patient
    in progress ▶ completed       its case is delivered
    in progress ▶ canceled        its case cannot be judged, or was given up
    scheduled ──▶ canceled        its input is not of one study, or another patient's, or never came

A case is worked on by whoever holds its lease, item or not. What an item becomes is read and
written in one transaction in which nobody else holds it, so that of several gateways one does it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from pydicom.uid import generate_uid
from sqlalchemy import and_, delete, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.clock import now
from service.integration.ledger.schemas import DELIVERED
from service.integration.settings import GatewaySettings
from service.integration.workitems import repository, requirements
from service.integration.workitems.document import text, values
from service.integration.workitems.schemas import FINAL, Place, Workitem
from service.patients import repository as patients
from service.storage.encryption import plain
from service.storage.tables.ledger import ArrivalRow, CaseRow, DeliveryRow, WorkitemRow
from service.storage.transaction import Transaction, Transactions

PAUSE: Final = timedelta(seconds=2)
"""Before an item whose input is only here in part is looked at again."""
EXPIRES: Final = timedelta(days=90)
"""How long an item waits for its input."""
_PIECE: Final = 500
"""UIDs that are looked up in one statement."""

Reason = tuple[str, str]
_OTHER_PATIENT: Final = ("110514", "Incorrect worklist entry selected")
_FORMAT: Final = ("110521", "Objects incorrectly formatted")
_TYPES: Final = ("110522", "Object Types not supported")
_EXPIRED: Final = ("110533", "Workitem expired")
"""Reasons for discontinuation (PS3.16 CID 9300)."""
_NOT_THE_IMAGES: Final = frozenset({"nothing_held", "failed", "no_destination", "too_many_results"})
"""Reasons of a case in quarantine that say nothing of how its images are made."""


class Performance:
    """Every method raises :class:`~service.storage.errors.StorageError` when it must."""

    def __init__(
        self, settings: GatewaySettings, transactions: Transactions, places: Mapping[str, Place]
    ) -> None:
        """``places``: where destinations' objects can be retrieved from, by their names."""
        self._transactions = transactions
        self._places = places
        self._codes = settings.gateway_workitems.split()
        self._retained = timedelta(hours=settings.gateway_retain_hours)

    async def take_up(self) -> bool:
        """Look at the next item that waits; False where there is none whose study is here."""
        moment = now()
        here = exists().where(
            CaseRow.site == WorkitemRow.site, CaseRow.study_uid == WorkitemRow.study_uid
        )
        which = and_(
            WorkitemRow.state == "scheduled",
            WorkitemRow.code.in_(self._codes),
            WorkitemRow.readiness != "INCOMPLETE",
            WorkitemRow.due_at <= moment,
            or_(WorkitemRow.study_uid.is_(None), here),
        )
        async with self._transactions.read() as connection:
            if not await connection.scalar(select(exists().where(which))):
                return False
        statement = (
            select(*WorkitemRow.__table__.columns)
            .where(which)
            .order_by(WorkitemRow.due_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        )

        async def work(transaction: Transaction) -> bool:
            connection = transaction.connection
            row = (await connection.execute(statement)).one_or_none()
            if row is None:
                return False
            await self._begin(connection, repository.of(row))
            return True

        return await self._transactions.write(work)

    async def _begin(self, connection: AsyncConnection, item: Workitem) -> None:
        if item.study_uid is None:
            await _cancel(connection, item, "Its input is not of one study.", _TYPES)
        elif not await _is_here(connection, item):
            await repository.save(connection, item, due_at=now() + PAUSE)
        elif not await _is_theirs(connection, item):
            await _cancel(connection, item, "Its input is another patient's.", _OTHER_PATIENT)
        else:
            latest = (
                select(CaseRow.id)
                .where(CaseRow.site == item.site, CaseRow.study_uid == item.study_uid)
                .order_by(CaseRow.revision.desc())
                .limit(1)
            )
            await repository.save(
                connection, item, state="in_progress", started_at=now(),
                case_id=await connection.scalar(latest),
                # Nobody is told of it: the item is ours.
                transaction_uid=str(generate_uid(prefix=None)),
            )  # fmt: skip

    async def follow(self) -> bool:
        """End the next item whose case has ended; False where there is none."""
        stopped = and_(
            CaseRow.state == "quarantined",
            # What a rule holds waits for a person, who may have it judged.
            or_(CaseRow.reason.is_(None), ~CaseRow.reason.startswith("rule:")),
        )
        ended = or_(CaseRow.state.in_(("done", "superseded", "ignored")), stopped)
        which = and_(WorkitemRow.state == "in_progress", WorkitemRow.case_id == CaseRow.id, ended)
        async with self._transactions.read() as connection:
            if not await connection.scalar(select(exists().where(which))):
                return False
        statement = (
            select(
                *WorkitemRow.__table__.columns,
                CaseRow.state.label("case_state"),
                CaseRow.reason.label("case_reason"),
                CaseRow.revision,
            )
            .where(which)
            .order_by(WorkitemRow.changed_at)
            .limit(1)
            .with_for_update(of=WorkitemRow, skip_locked=True)
        )

        async def work(transaction: Transaction) -> bool:
            connection = transaction.connection
            row = (await connection.execute(statement)).one_or_none()
            if row is None:
                return False
            await self._end(connection, row)
            return True

        return await self._transactions.write(work)

    async def _end(self, connection: AsyncConnection, row: Any) -> None:
        item = repository.of(row)
        if row.case_state in ("done", "superseded"):
            delivered = exists().where(
                DeliveryRow.case_id == row.case_id, DeliveryRow.state.in_(DELIVERED)
            )
            if await connection.scalar(select(delivered)):
                places = {name: list(place) for name, place in self._places.items()}
                await repository.save(
                    connection, item, state="completed", ended_at=now(), places=places
                )
                return
            later = (
                select(CaseRow.id)
                .where(
                    CaseRow.site == item.site,
                    CaseRow.study_uid == item.study_uid,
                    CaseRow.revision > row.revision,
                )
                .order_by(CaseRow.revision)
                .limit(1)
            )
            following = await connection.scalar(later)
            if row.case_state == "superseded" and following is not None:
                # It was held for a signature, and the revision with it says all that it said.
                await repository.save(connection, item, case_id=following)
                return
        reason = row.case_reason or "discarded"
        images = row.case_state == "quarantined" and reason not in _NOT_THE_IMAGES
        said = requirements.UNSPECIFIED if not images else _FORMAT
        await _cancel(connection, item, f"osteoserve: {reason}", said)

    async def tidy(self) -> None:
        """Cancel what has waited too long, and forget what ended some days ago."""
        moment = now()
        forgotten = and_(
            WorkitemRow.state.in_(FINAL), WorkitemRow.changed_at < moment - self._retained
        )
        expired = (
            select(*WorkitemRow.__table__.columns)
            .where(WorkitemRow.state == "scheduled", WorkitemRow.changed_at < moment - EXPIRES)
            .limit(100)
            .with_for_update(skip_locked=True)
        )

        async def work(transaction: Transaction) -> None:
            connection = transaction.connection
            await connection.execute(delete(WorkitemRow).where(forgotten))
            for row in (await connection.execute(expired)).all():
                await _cancel(connection, repository.of(row), "Its input has not come.", _EXPIRED)

        await self._transactions.write(work, frees=True)


async def _cancel(
    connection: AsyncConnection, item: Workitem, reason: str, discontinued: Reason
) -> None:
    document = requirements.canceled(item.document, reason, discontinued)
    moment = now()
    await repository.save(
        connection, item, document, state="canceled", ended_at=moment,
        started_at=item.started_at or moment,
    )  # fmt: skip


async def _is_here(connection: AsyncConnection, item: Workitem) -> bool:
    """Whether all that ``item`` names of its study has arrived, whatever became of it."""
    of_study = (ArrivalRow.site == item.site, ArrivalRow.study_uid == item.study_uid)
    for one in values(item.document, "InputInformationSequence"):
        series = text(one, "SeriesInstanceUID")
        if series:
            there = exists().where(*of_study, ArrivalRow.series_uid == series)
            if not await connection.scalar(select(there)):
                return False
        references = values(one, "ReferencedSOPSequence")
        named = {text(it, "ReferencedSOPInstanceUID") for it in references}
        for piece in _pieces(sorted(named)):
            found = await connection.scalars(
                select(ArrivalRow.sop_uid).where(*of_study, ArrivalRow.sop_uid.in_(piece))
            )
            if not set(piece) <= set(found):
                return False
    return True


def _pieces(uids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (uids[start : start + _PIECE] for start in range(0, len(uids), _PIECE))


async def _is_theirs(connection: AsyncConnection, item: Workitem) -> bool:
    """Whether what has arrived of its study is of the patient that ``item`` names."""
    statement = (
        select(ArrivalRow.patient, ArrivalRow.patient_sealed)
        .where(
            ArrivalRow.site == item.site,
            ArrivalRow.study_uid == item.study_uid,
            ArrivalRow.state == "held",
            ArrivalRow.patient.is_not(None),
        )
        .distinct()
    )
    number, issuer = await patients.surviving(
        connection, item.site, text(item.document, "PatientID"),
        text(item.document, "IssuerOfPatientID"),
    )  # fmt: skip
    for row in await connection.execute(statement):
        arrived, _, by = plain(row.patient, row.patient_sealed).partition("\\")
        if arrived != number or (issuer and by and by != issuer):
            return False
    return True
