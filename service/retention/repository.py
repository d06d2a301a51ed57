"""What is due, and what belongs to a patient, in SQL."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.holds import repository as holds
from service.identity.actor import Within
from service.patients.repository import arrived_as, is_known_by
from service.retention.settings import Kind
from service.reviews import repository as reviews
from service.storage.encryption import document, of, plain, readable
from service.storage.tables.batches import BatchRow
from service.storage.tables.exams import ExamRow
from service.storage.tables.identity import ClaimRow, SessionRow, SignInFlowRow
from service.storage.tables.images import ImageRow
from service.storage.tables.launches import LaunchFlowRow
from service.storage.tables.ledger import (
    ArrivalRow,
    CaseResultRow,
    CaseRow,
    DeliveryRow,
    PullRow,
    WorkitemRow,
)
from service.storage.tables.patients import MergeRow, PatientRow
from service.storage.tables.predictions import PredictionRow
from service.storage.tables.retention import ErasureRow
from service.storage.tables.reviews import ReviewRow
from service.storage.tables.worklist import WorklistRow
from service.storage.within import seen

_WHO: Final = (PatientRow.issuer, PatientRow.identifier, PatientRow.identifier_sealed)
_SIGNED: Final = reviews.STANDING.is_not(None)
_LAST: Final = (
    select(func.max(ReviewRow.created_at))
    .where(ReviewRow.prediction_id == PredictionRow.id)
    .scalar_subquery()
)


@dataclass(frozen=True, kw_only=True)
class Tombstone:
    """A patient who was erased; ``hash`` is keyed, see :mod:`service.retention.erasure`."""

    id: UUID
    site: str
    hash: str
    erased_at: datetime


async def sites(connection: AsyncConnection) -> tuple[str, ...]:
    """Return every site that anything is kept of."""
    found: set[str] = set()
    for row in (PredictionRow, PatientRow, BatchRow):
        found.update(await connection.scalars(select(row.site).distinct()))
    return tuple(sorted(found))


def _due(kind: Kind, site: str, before: datetime) -> tuple[ColumnElement[bool], ...]:
    here = (PredictionRow.site == site, ~holds.on_result())
    if kind == "images":
        pictured = PredictionRow.canonical_image_id.is_not(None)
        return (*here, pictured, PredictionRow.created_at < before)
    if kind == "results":
        # Not while somebody still has something to say of it, or has just withdrawn.
        quiet = or_(_LAST.is_(None), before > _LAST)
        return (*here, ~_SIGNED, PredictionRow.created_at < before, quiet)
    return (*here, _SIGNED, PredictionRow.created_at < before, before > _LAST)


async def due(
    connection: AsyncConnection, kind: Kind, site: str, before: datetime, most: int
) -> tuple[UUID, ...]:
    """Return at most ``most`` predictions of which ``kind`` is older than ``before``.

    Those that a hold is on are not among them.
    """
    statement = (
        select(PredictionRow.id)
        .where(*_due(kind, site, before))
        .order_by(PredictionRow.created_at, PredictionRow.id)
        .limit(most)
    )
    return tuple(await connection.scalars(statement))


async def count(connection: AsyncConnection, kind: Kind, site: str, before: datetime) -> int:
    """Return how many there are of what :func:`due` returns."""
    statement = select(func.count()).select_from(PredictionRow).where(*_due(kind, site, before))
    return int(await connection.scalar(statement) or 0)


async def patients(connection: AsyncConnection, site: str) -> Sequence[tuple[UUID, str, str]]:
    """Return key, issuer and identifier of every patient of a site."""
    rows = await connection.execute(select(PatientRow.key, *_WHO).where(PatientRow.site == site))
    return [(row.key, row.issuer, plain(row.identifier, row.identifier_sealed)) for row in rows]


async def patient(connection: AsyncConnection, site: str, key: UUID) -> tuple[str, str] | None:
    """Return issuer and identifier of a patient of a site."""
    named = select(*_WHO).where(PatientRow.key == key, PatientRow.site == site)
    row = (await connection.execute(named)).one_or_none()
    if row is None:
        return None
    return row.issuer, plain(row.identifier, row.identifier_sealed)


async def known_by(
    connection: AsyncConnection, site: str, issuer: str, identifier: str
) -> UUID | None:
    named = is_known_by(connection, site, identifier, issuer)
    return await connection.scalar(select(PatientRow.key).where(named))


async def all_known_by(connection: AsyncConnection, site: str, identifier: str) -> tuple[UUID, ...]:
    """Return the keys of whoever has this identifier, whoever has issued it."""
    known = of(connection).known_as(site, identifier)
    named = (PatientRow.site == site, PatientRow.identifier.in_(known))
    return tuple(await connection.scalars(select(PatientRow.key).where(*named)))


async def received(connection: AsyncConnection, site: str) -> frozenset[str]:
    """Return the patients, as the gateway writes them, of what it has received."""
    statement = select(ArrivalRow.patient, ArrivalRow.patient_sealed).where(
        ArrivalRow.site == site, ArrivalRow.patient.is_not(None)
    )
    rows = await connection.execute(statement.distinct())
    found = (plain(row.patient, row.patient_sealed) for row in rows)
    return frozenset(one for one in found if one)


async def results_of(
    connection: AsyncConnection, within: Within, keys: Collection[UUID], arrived: str
) -> tuple[tuple[UUID, bool], ...]:
    """Return a patient's results in an order that all keep, each with whether it is signed.

    ``keys``: by which exams name the patient; ``arrived``: as the gateway writes them. All are
    held until the transaction ends.
    """
    of_exam = (
        select(ImageRow.id)
        .join(ExamRow, ExamRow.id == ImageRow.exam_id)
        .where(ExamRow.patient_key.in_(keys))
    )
    judged = select(CaseRow.judged).where(
        CaseRow.id.in_(_cases(connection, within.site, arrived)), CaseRow.judged.is_not(None)
    )
    by_gateway = [
        UUID(str(id)) for found in await connection.scalars(judged) for _, id in found or ()
    ]
    statement = (
        select(PredictionRow.id, _SIGNED.label("signed"))
        .where(
            seen(PredictionRow, within),
            or_(PredictionRow.image_id.in_(of_exam), PredictionRow.id.in_(by_gateway)),
        )
        .order_by(PredictionRow.id)
        .with_for_update(of=PredictionRow)
    )
    return tuple((row.id, row.signed) for row in await connection.execute(statement))


async def beside(connection: AsyncConnection, prediction_id: UUID) -> dict[str, Any]:
    """Return what is kept of a result beside its documents: its file's name and the worklist's."""
    of_list = (
        WorklistRow.flagged_at, WorklistRow.assigned_at, WorklistRow.retired_at,
        WorklistRow.retired_reason,
    )  # fmt: skip
    statement = (
        select(PredictionRow.file_name, PredictionRow.file_name_sealed, *of_list)
        .outerjoin(WorklistRow, WorklistRow.prediction_id == PredictionRow.id)
        .where(PredictionRow.id == prediction_id)
    )
    found = (await connection.execute(statement)).one()._asdict()
    found["file_name"] = plain(found["file_name"], found.pop("file_name_sealed"))
    return {name: it.isoformat() if isinstance(it, datetime) else it for name, it in found.items()}


async def forget_received(connection: AsyncConnection, site: str, arrived: str) -> int:
    """Remove bytes and identifiers of a patient's objects, and what was made and sent of them.

    What was under way is given up. Return of how many objects.
    """
    cases = list(await connection.scalars(_cases(connection, site, arrived)))
    await connection.execute(
        update(CaseResultRow).where(CaseResultRow.case_id.in_(cases)).values(data=None)
    )
    theirs = DeliveryRow.case_id.in_(cases)
    await connection.execute(update(DeliveryRow).where(theirs).values(message=None, detail=None))
    open_ways = DeliveryRow.state.not_in(("accepted", "committed", "discarded"))
    await connection.execute(
        update(DeliveryRow).where(theirs, open_ways).values(state="discarded", reason="erased")
    )
    final = ("done", "superseded", "ignored")
    await connection.execute(
        update(CaseRow)
        .where(CaseRow.id.in_(cases), CaseRow.state.not_in(final))
        .values(state="ignored", reason="erased", fence=CaseRow.fence + 1)
    )
    identifier, _, issuer = arrived.partition("\\")
    known = of(connection).known_as(site, identifier)
    await connection.execute(
        delete(MergeRow).where(
            MergeRow.site == site,
            or_(
                and_(MergeRow.identifier.in_(known), MergeRow.issuer == issuer),
                and_(MergeRow.into_identifier.in_(known), MergeRow.into_issuer == issuer),
            ),
        )
    )
    asked = await connection.execute(
        select(PullRow.id, PullRow.question, PullRow.question_sealed).where(
            PullRow.site == site, PullRow.question.is_not(None)
        )
    )
    questions = [(row.id, document(row.question, row.question_sealed)) for row in asked]
    naming = [
        id
        for id, question in questions
        if question["patient"] == identifier and question["issuer"] in ("", issuer)
    ]
    await connection.execute(
        update(PullRow)
        .where(PullRow.id.in_(naming))
        .values(
            question=None,
            question_sealed=None,
            state="discarded",
            reason="erased",
            fence=PullRow.fence + 1,
        )
    )
    await _forget_workitems(connection, site, identifier, issuer)
    objects = (
        ArrivalRow.site == site,
        ArrivalRow.patient.in_(arrived_as(connection, site, arrived)),
    )
    gone = await connection.execute(
        update(ArrivalRow)
        .where(*objects)
        .values(patient=None, patient_sealed=None, data=None, numbers=None)
    )
    return gone.rowcount


async def _forget_workitems(
    connection: AsyncConnection, site: str, identifier: str, issuer: str
) -> None:
    """Remove the work items that name a patient."""
    items = select(WorkitemRow.id, WorkitemRow.document).where(WorkitemRow.site == site)
    naming = []
    for row in await connection.execute(items):
        said = json.loads(readable(row.document))
        number, by = (_said(said, tag) for tag in ("00100020", "00100021"))
        if number == identifier and by in ("", issuer):
            naming.append(row.id)
    await connection.execute(delete(WorkitemRow).where(WorkitemRow.id.in_(naming)))


def _said(document: dict[str, Any], tag: str) -> str:
    """Return the first value of an element in DICOM JSON."""
    found = document.get(tag, {}).get("Value") or [None]
    return str(found[0] or "").strip(" ")


def _cases(connection: AsyncConnection, site: str, arrived: str) -> Any:
    return select(ArrivalRow.case_id).where(
        ArrivalRow.site == site,
        ArrivalRow.patient.in_(arrived_as(connection, site, arrived)),
        ArrivalRow.case_id.is_not(None),
    )


async def forget(connection: AsyncConnection, keys: Collection[UUID]) -> None:
    """Remove patients and what is left of their exams; their images are gone already."""
    left = select(ExamRow.id).where(ExamRow.patient_key.in_(keys))
    await connection.execute(
        update(ImageRow).where(ImageRow.exam_id.in_(left)).values(exam_id=None)
    )
    await connection.execute(delete(ExamRow).where(ExamRow.patient_key.in_(keys)))
    await connection.execute(delete(PatientRow).where(PatientRow.key.in_(keys)))


async def bury(connection: AsyncConnection, tombstone: Tombstone) -> None:
    await connection.execute(
        insert(ErasureRow).values(
            id=tombstone.id,
            site=tombstone.site,
            hash=tombstone.hash,
            erased_at=tombstone.erased_at,
        )
    )


async def tombstones(connection: AsyncConnection) -> tuple[Tombstone, ...]:
    """Return every patient who was erased, the first one first."""
    columns = tuple(getattr(ErasureRow, name) for name in Tombstone.__dataclass_fields__)
    rows = await connection.execute(select(*columns).order_by(ErasureRow.erased_at, ErasureRow.id))
    return tuple(Tombstone(**row._asdict()) for row in rows)


async def end_sign_ins(connection: AsyncConnection) -> None:
    """Void sessions, links and sign-ins under way: those of a backup are of another day."""
    for row in (SessionRow, SignInFlowRow, LaunchFlowRow, ClaimRow):
        await connection.execute(delete(row))
