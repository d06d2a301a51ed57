"""Results and deliveries in SQL: what was made of a case, where it goes, and when its bytes go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Row, and_, delete, exists, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from service.clock import now
from service.integration.ledger.repository import claim, note
from service.integration.ledger.schemas import (
    DELIVERED,
    UNDER_WAY,
    Case,
    Delivery,
    Outgoing,
    Result,
    delivery_id,
)
from service.storage.encryption import readable
from service.storage.tables.columns import Cell
from service.storage.tables.ledger import ArrivalRow, CaseResultRow, CaseRow, DeliveryRow

PIECE: Final = 100
"""Rows of which bytes are removed in one transaction."""


async def claim_next(
    connection: AsyncConnection, destination: str, lease: timedelta, in_order: bool = False
) -> Delivery | None:
    """Return a delivery to ``destination`` that is due, leased; None where none is.

    A revision waits for the one before it: what names a predecessor comes after it. ``in_order``:
    each waits for all that were made before it.
    """
    case, before, earlier = aliased(CaseRow), aliased(CaseRow), aliased(DeliveryRow)
    waits_for = exists().where(
        case.id == DeliveryRow.case_id,
        before.study_uid == case.study_uid,
        before.site == case.site,
        before.revision < case.revision,
        earlier.case_id == before.id,
        earlier.destination == destination,
        earlier.state.in_(UNDER_WAY),
    )
    which = and_(
        DeliveryRow.destination == destination, DeliveryRow.state.in_(UNDER_WAY), ~waits_for
    )
    if in_order:
        ahead = aliased(DeliveryRow)
        which &= ~exists().where(
            ahead.destination == destination,
            ahead.state.in_(UNDER_WAY),
            ahead.created_at < DeliveryRow.created_at,
        )
    row = await claim(connection, DeliveryRow, which, lease, {"state": "sending"})
    if row is None:
        return None
    await note(connection, row.case_id, "sending", destination, row.id)
    return Delivery(
        id=row.id, fence=row.fence, attempts=row.attempts, case_id=row.case_id,
        destination=row.destination, objects=row.objects, message=readable(row.message),
    )  # fmt: skip


async def keep(connection: AsyncConnection, case_id: UUID, results: Sequence[Result]) -> None:
    """Keep what was made of a case, in the place of what a restart has had made once more."""
    await connection.execute(delete(CaseResultRow).where(CaseResultRow.case_id == case_id))
    for number, one in enumerate(results):
        await connection.execute(
            insert(CaseResultRow).values(
                case_id=case_id, number=number, sop_uid=one.sop_uid, series_uid=one.series_uid,
                sop_class_uid=one.sop_class_uid, data=Cell.of(one.data, one.sop_uid),
            )
        )  # fmt: skip


async def results(connection: AsyncConnection, case_id: UUID) -> tuple[Result, ...]:
    """Return what was made of a case; none where its bytes have been removed."""
    statement = (
        select(*CaseResultRow.__table__.columns)
        .where(CaseResultRow.case_id == case_id, CaseResultRow.data.is_not(None))
        .order_by(CaseResultRow.number)
    )
    return tuple(
        Result(
            sop_uid=row.sop_uid,
            sop_class_uid=row.sop_class_uid,
            series_uid=row.series_uid,
            data=readable(row.data),
        )
        for row in await connection.execute(statement)
    )


async def predecessor(connection: AsyncConnection, case: Case) -> Row[str, str, str] | None:
    """Return the report (class, series and object) that ``case`` supersedes."""
    statement = (
        select(CaseResultRow.sop_uid, CaseResultRow.sop_class_uid, CaseResultRow.series_uid)
        .join(CaseRow, CaseRow.id == CaseResultRow.case_id)
        .where(
            CaseRow.study_uid == case.study_uid,
            CaseRow.site == case.site,
            CaseRow.revision < case.revision,
            CaseResultRow.number == 0,
        )
        .order_by(CaseRow.revision.desc())
        .limit(1)
    )
    return (await connection.execute(statement)).one_or_none()


async def supersede(connection: AsyncConnection, case: Case) -> None:
    """Mark earlier cases of the study, which are delivered, as superseded by ``case``."""
    statement = (
        update(CaseRow)
        .where(
            CaseRow.study_uid == case.study_uid,
            CaseRow.site == case.site,
            CaseRow.revision < case.revision,
            CaseRow.state == "done",
        )
        .values(state="superseded", changed_at=now())
        .returning(CaseRow.id)
    )
    for case_id in (await connection.scalars(statement)).all():
        await note(connection, case_id, "superseded")
    await _release(connection, case)


async def _release(connection: AsyncConnection, case: Case) -> None:
    """Give up what earlier cases of the study hold until somebody signs: ``case`` says it all."""
    earlier = select(CaseRow.id).where(
        CaseRow.study_uid == case.study_uid,
        CaseRow.site == case.site,
        CaseRow.revision < case.revision,
    )
    statement = (
        update(DeliveryRow)
        .where(DeliveryRow.case_id.in_(earlier), DeliveryRow.state == "held")
        .values(state="discarded", reason="superseded", message=None, changed_at=now())
        .returning(DeliveryRow.id, DeliveryRow.case_id)
    )
    for row in (await connection.execute(statement)).all():
        await note(connection, row.case_id, "discarded", "superseded", row.id)
        await finish(connection, row.case_id)


async def deliver_to(
    connection: AsyncConnection, case_id: UUID, outgoing: Iterable[Outgoing]
) -> None:
    moment = now()
    for one in outgoing:
        id = delivery_id(case_id, one.destination)
        state = "held" if one.held else "waiting" if one.refused is None else "dead"
        await connection.execute(
            insert(DeliveryRow).values(
                id=id, case_id=case_id, destination=one.destination, state=state,
                reason=one.refused, objects={}, attempts=0,
                message=None if one.message is None else Cell.of(one.message, id),
                created_at=moment, changed_at=moment, due_at=moment, fence=0,
            )
        )  # fmt: skip
        await note(connection, case_id, state, one.refused or one.destination, id)


async def finish(connection: AsyncConnection, case_id: UUID) -> None:
    """Close a case once each of its deliveries was accepted, committed to or discarded."""
    unfinished = exists().where(
        DeliveryRow.case_id == case_id, DeliveryRow.state.not_in((*DELIVERED, "discarded"))
    )
    if await connection.scalar(select(unfinished)):
        return
    case, later = aliased(CaseRow), aliased(CaseRow)
    followed = exists().where(
        case.id == case_id,
        later.study_uid == case.study_uid,
        later.site == case.site,
        later.revision > case.revision,
        later.state.in_(("composed", "delivering", "done", "superseded")),
    )
    state = "superseded" if await connection.scalar(select(followed)) else "done"
    done = await connection.execute(
        update(CaseRow)
        .where(CaseRow.id == case_id, CaseRow.state == "delivering")
        .values(state=state, changed_at=now())
    )
    if done.rowcount:
        await note(connection, case_id, state)


async def purge(connection: AsyncConnection, before: datetime) -> int:
    """Remove bytes and patients of studies that ended ``before`` and wait for nobody.

    Return of how many objects, at most :data:`PIECE`.
    """
    final = ("done", "superseded", "ignored")
    other, apart = aliased(CaseRow), aliased(ArrivalRow)
    of_study = and_(other.study_uid == ArrivalRow.study_uid, other.site == ArrivalRow.site)
    unfinished = exists().where(
        of_study, or_(other.state.not_in(final), other.changed_at >= before)
    )
    undecided = exists().where(
        apart.study_uid == ArrivalRow.study_uid,
        apart.site == ArrivalRow.site,
        apart.state == "quarantined",
    )
    old = (
        select(ArrivalRow.id)
        .where(
            or_(ArrivalRow.data.is_not(None), ArrivalRow.patient.is_not(None)),
            ArrivalRow.received_at < before,
            ArrivalRow.state != "reading",
            ~unfinished,
            ~undecided,
        )
        .limit(PIECE)
    )
    ids = list(await connection.scalars(old))
    if ids:
        gone = update(ArrivalRow).where(ArrivalRow.id.in_(ids))
        # All of the study's: a revision by a signature has no objects of its own.
        cases = select(CaseRow.id).where(
            exists().where(
                ArrivalRow.id.in_(ids),
                ArrivalRow.study_uid == CaseRow.study_uid,
                ArrivalRow.site == CaseRow.site,
            )
        )
        await connection.execute(
            update(CaseResultRow).where(CaseResultRow.case_id.in_(cases)).values(data=None)
        )
        await connection.execute(
            update(DeliveryRow)
            .where(DeliveryRow.case_id.in_(cases))
            .values(message=None, detail=None)
        )
        await connection.execute(
            gone.values(data=None, patient=None, patient_sealed=None, numbers=None)
        )
    return len(ids)
