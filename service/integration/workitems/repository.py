"""Work items in SQL, for those who may see them; what their cases have come to beside them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import Row, and_, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.elements import ColumnElement

from service.clock import now
from service.integration.ledger.repository import note
from service.integration.ledger.schemas import DELIVERED
from service.integration.statuses import accepted
from service.integration.web.repository import Seen
from service.integration.workitems.document import text, values
from service.integration.workitems.query import Sought
from service.integration.workitems.schemas import Item, Output, Workitem
from service.storage.encryption import readable
from service.storage.tables.columns import Cell
from service.storage.tables.ledger import CaseResultRow, CaseRow, DeliveryRow, WorkitemRow

_LONGEST: Final = 64


def _visible(seen: Seen) -> ColumnElement[bool]:
    mine = WorkitemRow.site == seen.site
    return mine if seen.sender is None else and_(mine, WorkitemRow.sender == seen.sender)


async def add(
    connection: AsyncConnection, site: str, sender: str, uid: str, document: Item
) -> UUID | None:
    """Return the number of a new item; None where there is one of this UID."""
    there = select(WorkitemRow.id).where(WorkitemRow.site == site, WorkitemRow.uid == uid)
    if await connection.scalar(there) is not None:
        return None
    id, moment = uuid4(), now()
    await connection.execute(
        insert(WorkitemRow).values(
            id=id, site=site, uid=uid, sender=sender, state="scheduled", created_at=moment,
            changed_at=moment, due_at=moment, **_said(document, id),
        )
    )  # fmt: skip
    await note(connection, None, "scheduled", sender, id)
    return id


async def get(
    connection: AsyncConnection, seen: Seen, uid: str, *, alone: bool = False
) -> Workitem | None:
    """Return the item of a UID, ``alone``: held until the transaction ends."""
    statement = select(*WorkitemRow.__table__.columns).where(_visible(seen), WorkitemRow.uid == uid)
    if alone:
        statement = statement.with_for_update()
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else of(row)


async def find(connection: AsyncConnection, seen: Seen, sought: Sought) -> tuple[Workitem, ...]:
    """Return what matches, the newest first."""
    statement = select(*WorkitemRow.__table__.columns).where(_visible(seen))
    for column, value in (
        (WorkitemRow.uid, sought.uid),
        (WorkitemRow.state, sought.state),
        (WorkitemRow.study_uid, sought.study),
        (WorkitemRow.label, sought.label),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if sought.code is not None:
        statement = statement.where(WorkitemRow.code.startswith(f"{sought.code}^", autoescape=True))
    statement = (
        statement.order_by(WorkitemRow.created_at.desc(), WorkitemRow.id)
        .limit(sought.limit)
        .offset(sought.offset)
    )
    return tuple(of(row) for row in await connection.execute(statement))


async def save(
    connection: AsyncConnection, item: Workitem, document: Item | None = None, **changes: Any
) -> None:
    """Write what has changed of an item that is held; a new state is an event of the ledger."""
    said = {} if document is None else {"changed_at": now(), **_said(document, item.id)}
    if "state" in changes:
        said["changed_at"] = now()
    await connection.execute(
        update(WorkitemRow).where(WorkitemRow.id == item.id).values(**said, **changes)
    )
    if "state" in changes:
        case_id = changes.get("case_id", item.case_id)
        await note(connection, case_id, changes["state"], None, item.id)


async def outputs(connection: AsyncConnection, case_id: UUID) -> tuple[Output, ...]:
    """Return the results of a case that a destination has, by series, in the order of their making.

    Where none takes objects, those that can be retrieved here.
    """
    results = await connection.execute(
        select(
            CaseResultRow.sop_uid,
            CaseResultRow.sop_class_uid,
            CaseResultRow.series_uid,
            CaseResultRow.data.is_not(None).label("kept"),
            CaseRow.study_uid,
        )
        .join(CaseRow, CaseRow.id == CaseResultRow.case_id)
        .where(CaseResultRow.case_id == case_id)
        .order_by(CaseResultRow.number)
    )
    deliveries = await connection.execute(
        select(DeliveryRow.destination, DeliveryRow.objects)
        .where(DeliveryRow.case_id == case_id, DeliveryRow.state.in_(DELIVERED))
        .order_by(DeliveryRow.destination)
    )
    have = {
        row.destination: {uid for uid, status in row.objects.items() if accepted(status)}
        for row in deliveries
    }
    return tuple(_series(results.all(), have))


def _series(results: Sequence[Any], have: Mapping[str, set[str]]) -> Iterator[Output]:
    sent: set[str] = set().union(*have.values())
    for series_uid in dict.fromkeys(row.series_uid for row in results):
        every = [
            row
            for row in results
            if row.series_uid == series_uid and (row.sop_uid in sent or (not sent and row.kept))
        ]
        if every:
            uids = {row.sop_uid for row in every}
            yield Output(
                study_uid=every[0].study_uid,
                series_uid=series_uid,
                objects=tuple((row.sop_class_uid, row.sop_uid) for row in every),
                destinations=tuple(name for name, found in have.items() if uids <= found),
                kept=all(row.kept for row in every),
            )


def of(row: Row[Any]) -> Workitem:
    """Return the item in a row with all columns."""
    document: Item = json.loads(readable(row.document))
    return Workitem(
        id=row.id, uid=row.uid, site=row.site, state=row.state, document=document,
        study_uid=row.study_uid, transaction_uid=row.transaction_uid, case_id=row.case_id,
        places={name: (kind, place) for name, (kind, place) in (row.places or {}).items()},
        started_at=row.started_at, ended_at=row.ended_at,
    )  # fmt: skip


def _said(document: Item, id: UUID) -> dict[str, Any]:
    """Return the columns of what is kept, and searched by, of a document."""
    whole = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
    return {
        "document": Cell.of(whole, id),
        "study_uid": study_of(document),
        "code": _code(document),
        "label": text(document, "WorklistLabel")[:_LONGEST],
        "readiness": text(document, "InputReadinessState")[:16],
    }


def study_of(document: Item) -> str | None:
    """Return the one study that an item's input is of; None: there is none, or more than one."""
    inputs = values(document, "InputInformationSequence")
    found = {text(one, "StudyInstanceUID") for one in inputs} or {
        text(document, "StudyInstanceUID")
    }
    return next(iter(found)) or None if len(found) == 1 else None


def _code(document: Item) -> str | None:
    """Return what an item asks for, as value and scheme."""
    for one in values(document, "ScheduledWorkitemCodeSequence"):
        found = f"{text(one, 'CodeValue')}^{text(one, 'CodingSchemeDesignator')}"
        return found if len(found) <= _LONGEST else None
    return None
