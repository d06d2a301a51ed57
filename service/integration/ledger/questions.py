"""Storage commitment in SQL: what peers ask about, and what destinations are asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import Row, and_, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.clock import now
from service.integration.ledger.repository import claim, note
from service.integration.ledger.schemas import Commitment, Question, Reference
from service.storage.tables.ledger import ArrivalRow, CaseResultRow, CommitmentRow, DeliveryRow

PIECE: Final = 500
"""UIDs that are looked up in one statement."""


async def keep(
    connection: AsyncConnection,
    site: str,
    peer: str,
    transaction_uid: str,
    objects: Sequence[Reference],
    due: datetime,
) -> UUID:
    """Keep a peer's question, to be answered from ``due`` on; the same again is asked anew."""
    mine = and_(
        CommitmentRow.site == site,
        CommitmentRow.peer == peer,
        CommitmentRow.transaction_uid == transaction_uid,
    )
    moment = now()
    values: dict[str, Any] = {
        "objects": [list(one) for one in objects],
        "state": "waiting",
        "reason": None,
        "changed_at": moment,
        "attempts": 0,
        "due_at": due,
        "leased_until": None,
    }
    again = update(CommitmentRow).where(mine).values(fence=CommitmentRow.fence + 1, **values)
    found = await connection.scalar(again.returning(CommitmentRow.id))
    if found is None:
        found = uuid4()
        await connection.execute(
            insert(CommitmentRow).values(
                id=found, site=site, peer=peer, transaction_uid=transaction_uid,
                created_at=moment, fence=0, **values,
            )
        )  # fmt: skip
    await note(connection, None, "asked", peer, found)
    return found


async def held(
    connection: AsyncConnection, site: str, sop_uids: Sequence[str]
) -> Mapping[str, str]:
    """Return the SOP class of those objects of which the ledger has the bytes."""
    found: dict[str, str] = {}
    for start in range(0, len(sop_uids), PIECE):
        statement = select(ArrivalRow.sop_uid, ArrivalRow.sop_class_uid).where(
            ArrivalRow.site == site,
            ArrivalRow.sop_uid.in_(sop_uids[start : start + PIECE]),
            ArrivalRow.data.is_not(None),
            ArrivalRow.state.in_(("held", "quarantined", "reading", "read")),
        )
        found |= {row.sop_uid: row.sop_class_uid for row in await connection.execute(statement)}
    return found


async def claim_commitment(
    connection: AsyncConnection, peers: Iterable[tuple[str, str]], lease: timedelta
) -> Commitment | None:
    """Return a question of one of ``peers`` (site and name) that is to be answered, leased."""
    theirs = (and_(CommitmentRow.site == site, CommitmentRow.peer == name) for site, name in peers)
    which = and_(CommitmentRow.state == "waiting", or_(*theirs))
    row = await claim(connection, CommitmentRow, which, lease, {})
    return None if row is None else _commitment(row)


async def commitment(connection: AsyncConnection, id: UUID) -> Commitment | None:
    row = (
        await connection.execute(
            select(*CommitmentRow.__table__.columns).where(
                CommitmentRow.id == id, CommitmentRow.state == "waiting"
            )
        )
    ).one_or_none()
    return None if row is None else _commitment(row)


def _commitment(row: Row[Any]) -> Commitment:
    return Commitment(
        id=row.id, fence=row.fence, attempts=row.attempts, site=row.site, peer=row.peer,
        transaction_uid=row.transaction_uid,
        objects=tuple((sop_class, uid) for sop_class, uid in row.objects),
    )  # fmt: skip


async def unanswerable(
    connection: AsyncConnection, peers: Iterable[tuple[str, str]], before: datetime
) -> None:
    """Give up questions of those who can be answered on their own association alone, and left."""
    for site, name in peers:
        done = await connection.scalars(
            update(CommitmentRow)
            .where(
                CommitmentRow.site == site,
                CommitmentRow.peer == name,
                CommitmentRow.state == "waiting",
                CommitmentRow.due_at < before,
            )
            .values(state="dead", reason="left", changed_at=now())
            .returning(CommitmentRow.id)
        )
        for id in done.all():
            await note(connection, None, "dead", "left", id)


async def claim_question(
    connection: AsyncConnection, destination: str, lease: timedelta
) -> Question | None:
    """Return a delivery of which ``destination`` is to be asked, leased."""
    which = and_(DeliveryRow.destination == destination, DeliveryRow.state == "committing")
    row = await claim(connection, DeliveryRow, which, lease, {})
    if row is None:
        return None
    classes = await connection.execute(
        select(CaseResultRow.sop_class_uid, CaseResultRow.sop_uid)
        .where(CaseResultRow.case_id == row.case_id, CaseResultRow.sop_uid.in_(list(row.objects)))
        .order_by(CaseResultRow.number)
    )
    return Question(
        id=row.id, fence=row.fence, attempts=row.attempts, case_id=row.case_id,
        objects=tuple((one.sop_class_uid, one.sop_uid) for one in classes),
    )  # fmt: skip


async def asked_by(
    connection: AsyncConnection, destination: str, transaction_uid: str
) -> Row[UUID, UUID, int, dict[str, Any]] | None:
    """Return the delivery that a report is about, held until the transaction ends."""
    statement = (
        select(DeliveryRow.id, DeliveryRow.case_id, DeliveryRow.attempts, DeliveryRow.objects)
        .where(
            DeliveryRow.destination == destination,
            DeliveryRow.transaction_uid == transaction_uid,
            DeliveryRow.state == "committing",
        )
        .with_for_update()
    )
    return (await connection.execute(statement)).one_or_none()


async def hear(connection: AsyncConnection, id: UUID, **values: Any) -> None:
    """Write what a report says of a delivery; whoever holds its lease has lost it."""
    await connection.execute(
        update(DeliveryRow)
        .where(DeliveryRow.id == id)
        .values(
            fence=DeliveryRow.fence + 1, leased_until=None, changed_at=now(), **values
        )
    )  # fmt: skip


async def purge(connection: AsyncConnection, before: datetime) -> None:
    """Forget what was answered, or given up by a person, ``before``."""
    await connection.execute(
        delete(CommitmentRow).where(
            CommitmentRow.state.in_(("reported", "discarded")), CommitmentRow.changed_at < before
        )
    )
