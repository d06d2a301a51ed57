"""The ledger in SQL. Every change writes its event; only its holder changes what is leased."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, and_, exists, func, insert, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased
from sqlalchemy.sql.elements import ColumnElement

from service.clock import now
from service.integration.ledger.schemas import (
    WORKED_ON,
    Arrival,
    Case,
    Held,
    Lease,
    LeaseLostError,
)
from service.patients import repository as patients
from service.storage import encryption
from service.storage.tables.columns import Cell
from service.storage.tables.ledger import (
    ArrivalRow,
    CaseResultRow,
    CaseRow,
    CommitmentRow,
    DeliveryRow,
    JudgementRow,
    LedgerEventRow,
    PullRow,
)

Leased = type[CaseRow] | type[DeliveryRow] | type[CommitmentRow] | type[PullRow]


async def alone(connection: AsyncConnection, *keys: str) -> None:
    """Hold ``keys`` until the transaction ends. On SQLite whoever writes is alone already."""
    if connection.dialect.name == "postgresql":
        for key in sorted(set(keys)):
            await connection.execute(
                text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 7301142619))"),
                {"key": key},
            )


async def note(
    connection: AsyncConnection,
    case_id: UUID | None,
    state: str,
    reason: str | None = None,
    about: UUID | None = None,
) -> None:
    await connection.execute(
        insert(LedgerEventRow).values(
            at=now(), case_id=case_id, about_id=about, state=state, reason=reason and reason[:200]
        )
    )


async def hashes(connection: AsyncConnection, site: str, sop_uid: str) -> frozenset[str]:
    """Return what has arrived under a SOP Instance UID before."""
    known = select(ArrivalRow.sha256).where(ArrivalRow.sop_uid == sop_uid, ArrivalRow.site == site)
    return frozenset(await connection.scalars(known))


async def is_ours(connection: AsyncConnection, sop_uid: str, series_uid: str) -> bool:
    made = or_(CaseResultRow.sop_uid == sop_uid, CaseResultRow.series_uid == series_uid)
    return bool(await connection.scalar(select(exists().where(made))))


async def other_patient(connection: AsyncConnection, one: Arrival) -> bool:
    """Whether an object of the same study is another patient's."""
    there = exists().where(
        ArrivalRow.study_uid == one.study_uid,
        ArrivalRow.site == one.site,
        ArrivalRow.state.in_(("held", "reading", "read")),
        ArrivalRow.patient.not_in(patients.arrived_as(connection, one.site, one.patient)),
    )
    return bool(await connection.scalar(select(there)))


async def rename(
    connection: AsyncConnection, site: str, former: tuple[str, str], into: tuple[str, str]
) -> None:
    """Have what was received of one patient, by number and issuer, be another's."""
    theirs = patients.arrived_as(connection, site, "\\".join(former))
    found = await connection.scalars(
        select(ArrivalRow.id).where(ArrivalRow.site == site, ArrivalRow.patient.in_(theirs))
    )
    for id in found.all():
        values = _whose(connection, site, "\\".join(into), id)
        await connection.execute(update(ArrivalRow).where(ArrivalRow.id == id).values(values))


def _whose(connection: AsyncConnection, site: str, patient: str | None, id: UUID) -> dict[str, Any]:
    """Return the values of an arrival that say whose it is; the issuer is not encrypted."""
    used = encryption.of(connection)
    if patient is None or not used.is_on:
        return {"patient": patient, "patient_sealed": None}
    identifier, _, issuer = patient.partition("\\")
    kept = used.kept_as(site, identifier)
    return {"patient": f"{kept}\\{issuer}", "patient_sealed": Cell.of(patient, id)}


async def of_survivor(connection: AsyncConnection, one: Arrival) -> Arrival:
    """Return ``one`` as of the patient that a hospital has merged its own into, if it has."""
    identifier, _, issuer = one.patient.partition("\\")
    found = await patients.surviving(connection, one.site, identifier, issuer)
    return dataclasses.replace(one, patient="\\".join(found))


async def latest(
    connection: AsyncConnection, site: str, study_uid: str
) -> Row[UUID, str, int] | None:
    """Return the last case of a study, held until the transaction ends."""
    statement = (
        select(CaseRow.id, CaseRow.state, CaseRow.revision)
        .where(CaseRow.study_uid == study_uid, CaseRow.site == site)
        .order_by(CaseRow.revision.desc())
        .limit(1)
        .with_for_update()
    )
    return (await connection.execute(statement)).one_or_none()


async def made_since(
    connection: AsyncConnection, site: str, study_uid: str, since: datetime
) -> int:
    """Return how many cases of a study were begun since."""
    statement = select(func.count()).where(
        CaseRow.study_uid == study_uid, CaseRow.site == site, CaseRow.created_at >= since
    )
    return int(await connection.scalar(statement) or 0)


async def begin(
    connection: AsyncConnection, one: Arrival, revision: int, state: str, reason: str | None
) -> UUID:
    """Return a new case of ``one``'s study."""
    case_id, moment = uuid4(), now()
    await connection.execute(
        insert(CaseRow).values(
            id=case_id, site=one.site, study_uid=one.study_uid, revision=revision, state=state,
            reason=reason, peer=one.peer, created_at=moment, changed_at=moment, due_at=moment,
            objects=0, attempts=0, fence=0,
        )
    )  # fmt: skip
    await note(connection, case_id, state, reason)
    return case_id


async def join(
    connection: AsyncConnection, case_id: UUID, state: str | None, due: datetime
) -> None:
    """Count one more object of a case, which now waits until ``due`` where it is in ``state``."""
    values: dict[str, Any] = {"objects": CaseRow.objects + 1}
    if state is not None:
        values |= {"state": state, "due_at": due, "changed_at": now()}
    await connection.execute(update(CaseRow).where(CaseRow.id == case_id).values(**values))


async def add(
    connection: AsyncConnection, one: Arrival, case_id: UUID | None, state: str, reason: str | None
) -> UUID:
    """Return the new row of ``one``. Of what is ignored no byte and no patient is kept."""
    arrival_id, ignored = uuid4(), state == "ignored"
    await connection.execute(
        insert(ArrivalRow).values(
            id=arrival_id, site=one.site, case_id=case_id, sop_uid=one.sop_uid,
            sop_class_uid=one.sop_class_uid, series_uid=one.series_uid, study_uid=one.study_uid,
            sha256=one.sha256, size=len(one.data), peer=one.peer, received_at=now(), state=state,
            reason=reason, data=None if ignored else Cell.of(one.data, arrival_id),
            **_whose(connection, one.site, None if ignored else one.patient, arrival_id),
            destinations=None if one.destinations is None else list(one.destinations),
        )
    )  # fmt: skip
    await note(connection, case_id, state, reason, arrival_id)
    return arrival_id


async def hold(connection: AsyncConnection, case_id: UUID, reason: str | None) -> None:
    """Put a case that nobody works on yet into quarantine; whoever does loses the lease."""
    await connection.execute(
        update(CaseRow)
        .where(CaseRow.id == case_id)
        .values(state="quarantined", reason=reason, fence=CaseRow.fence + 1, leased_until=None)
    )
    await note(connection, case_id, "quarantined", reason)


async def set_arrival(
    connection: AsyncConnection, arrival_id: UUID, state: str, reason: str, before: str = "held"
) -> bool:
    """Take an object out of its case, or decide on one that is in quarantine."""
    statement = (
        update(ArrivalRow)
        .where(ArrivalRow.id == arrival_id, ArrivalRow.state == before)
        .values(state=state, reason=reason[:64])
        .returning(ArrivalRow.case_id)
    )
    row = (await connection.execute(statement)).one_or_none()
    if row is None:
        return False
    await note(connection, row.case_id, state, reason, arrival_id)
    return True


async def belong(connection: AsyncConnection, case_id: UUID, predictions: Iterable[UUID]) -> None:
    """Write down which predictions a case's result is made of."""
    for prediction_id in predictions:
        await connection.execute(
            insert(JudgementRow).values(case_id=case_id, prediction_id=prediction_id)
        )


async def settle(connection: AsyncConnection, cases: Iterable[UUID], due: datetime) -> None:
    """Have cases whose sender has gone wait for a shorter time."""
    statement = (
        update(CaseRow)
        .where(CaseRow.id.in_(list(cases)), CaseRow.state == "receiving")
        .values(state="settling", due_at=due, changed_at=now())
        .returning(CaseRow.id)
    )
    for case_id in (await connection.scalars(statement)).all():
        await note(connection, case_id, "settling")


async def claim_case(connection: AsyncConnection, lease: timedelta) -> Case | None:
    """Return a case that is due, leased; None where none is.

    A revision waits until the one before it is composed, whose report it names.
    """
    before = aliased(CaseRow)
    follows = exists().where(
        before.study_uid == CaseRow.study_uid,
        before.site == CaseRow.site,
        before.revision < CaseRow.revision,
        before.state.in_(WORKED_ON),
    )
    which = and_(CaseRow.state.in_(WORKED_ON), ~follows)
    row = await claim(connection, CaseRow, which, lease, {})
    if row is None:
        return None
    judged = tuple((sha256, UUID(prediction)) for sha256, prediction in row.judged or ())
    return Case(
        id=row.id, fence=row.fence, attempts=row.attempts, site=row.site, peer=row.peer,
        study_uid=row.study_uid, revision=row.revision, state=row.state, objects=row.objects,
        judged=judged,
    )  # fmt: skip


async def claim(
    connection: AsyncConnection,
    table: Leased,
    which: ColumnElement[bool],
    lease: timedelta,
    values: dict[str, Any],
) -> Row[Any] | None:
    moment = now()
    free = or_(table.leased_until.is_(None), table.leased_until < moment)
    found = (
        select(table.id)
        .where(which, table.due_at <= moment, free)
        .order_by(table.due_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    id = await connection.scalar(found)
    if id is None:
        return None
    statement = (
        update(table)
        .where(table.id == id)
        .values(
            leased_until=moment + lease,
            fence=table.fence + 1,
            attempts=table.attempts + 1,
            **values,
        )
        .returning(*table.__table__.columns)
    )
    return (await connection.execute(statement)).one()


async def change(
    connection: AsyncConnection, table: Leased, held: Lease, *conditions: ColumnElement[bool],
    **values: Any,
) -> bool:  # fmt: skip
    """Write ``values`` as the holder of a lease; False where ``conditions`` do not hold any more.

    Raises :class:`LeaseLostError` where it is somebody else's.
    """
    mine = and_(table.id == held.id, table.fence == held.fence)
    done = await connection.execute(
        update(table).where(mine, *conditions).values(changed_at=now(), **values)
    )
    if done.rowcount:
        return True
    if not await connection.scalar(select(exists().where(mine))):
        raise LeaseLostError
    return False


async def destinations(
    connection: AsyncConnection, site: str, study_uid: str
) -> frozenset[str] | None:
    """Return where a study's results go by the rules of its objects; None: everywhere."""
    statement = select(ArrivalRow.destinations).where(
        ArrivalRow.study_uid == study_uid, ArrivalRow.site == site, ArrivalRow.state == "held"
    )
    named = list(await connection.scalars(statement))
    if not named or None in named:
        return None
    return frozenset(name for one in named for name in one)


async def held(connection: AsyncConnection, site: str, study_uid: str) -> tuple[Held, ...]:
    """Return the objects of a study that its results are made of, in the order they came."""
    statement = (
        select(
            ArrivalRow.id,
            ArrivalRow.sha256,
            ArrivalRow.patient,
            ArrivalRow.patient_sealed,
            ArrivalRow.data,
        )
        .where(
            ArrivalRow.study_uid == study_uid,
            ArrivalRow.site == site,
            ArrivalRow.state == "held",
            ArrivalRow.data.is_not(None),
        )
        .order_by(ArrivalRow.received_at, ArrivalRow.sop_uid)
    )
    rows = await connection.execute(statement)
    return tuple(
        Held(
            id=row.id,
            sha256=row.sha256,
            patient=encryption.plain(row.patient, row.patient_sealed) or "",
            data=encryption.readable(row.data),
        )
        for row in rows
    )
