"""The worklist in SQL: a page of it in any order, and the next result that nobody has read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Date, Row, Select, Uuid, and_, case, false, func, literal, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.elements import ColumnElement

from service.identity.actor import Actor
from service.patients.service import shown
from service.predictions.query import rank
from service.predictions.repository import COLUMNS, complete, filtered, sent_by
from service.predictions.worklist.query import SORTS, Column, WorklistQuery
from service.predictions.worklist.schemas import Listed, ListPage, NoSuchPlaceError
from service.reviews import repository as reviews
from service.storage.encryption import plain
from service.storage.errors import UnreadableError
from service.storage.tables.batches import BatchLineRow
from service.storage.tables.exams import ExamRow
from service.storage.tables.identity import PersonRow
from service.storage.tables.images import ImageRow
from service.storage.tables.patients import PatientRow
from service.storage.tables.predictions import PredictionRow
from service.storage.tables.worklist import WorklistRow
from service.storage.within import seen
from service.worklist.repository import known_reason
from service.worklist.schemas import Entry

_BEFORE_ALL: Final = date(1, 1, 1)
_STATE: Final = case((reviews.STANDING == "sign", 1), (reviews.STANDING == "override", 2), else_=0)


async def page(connection: AsyncConnection, actor: Actor, query: WorklistQuery) -> ListPage:
    """Return the results asked for that the actor may see, with how many there are.

    Raises :class:`~service.predictions.worklist.schemas.NoSuchPlaceError`.
    """
    rows, more = await _rows(connection, actor, query)
    ahead = 0
    if rows and (query.before or query.after) is not None:
        column, descending = SORTS[query.sort]
        place = _places(actor)[column]
        above = await _beyond(connection, actor, place, rows[0].id, not descending)
        ahead = await _count(connection, actor, query, above)
    backwards = query.before is not None
    return ListPage(
        rows=await _listed(connection, rows),
        total=await _count(connection, actor, query),
        ahead=ahead,
        previous=rows[0].id if rows and (more if backwards else ahead) else None,
        following=rows[-1].id if rows and (backwards or more) else None,
    )


async def rows(
    connection: AsyncConnection, actor: Actor, query: WorklistQuery
) -> tuple[tuple[Listed, ...], UUID | None]:
    """Return the same rows uncounted, and what the next ones begin behind."""
    found, more = await _rows(connection, actor, query)
    return await _listed(connection, found), found[-1].id if more else None


async def count(connection: AsyncConnection, actor: Actor, query: WorklistQuery) -> int:
    return await _count(connection, actor, query)


async def _rows(
    connection: AsyncConnection, actor: Actor, query: WorklistQuery
) -> tuple[Sequence[Row[Any]], bool]:
    """Return rows in the list's order, and whether there are more in the direction asked for."""
    column, descending = SORTS[query.sort]
    place, backwards = _places(actor)[column], query.before is not None
    falling = descending != backwards
    statement = _joined(select(PredictionRow.id), actor, query)
    at = query.before or query.after
    if at is not None:
        statement = statement.where(await _beyond(connection, actor, place, at, falling))
    keys = (place, PredictionRow.id)
    statement = statement.order_by(*(one.desc() if falling else one.asc() for one in keys))
    # Ids alone, so that whole documents are not sorted; one more than asked for says whether there
    # are more.
    found = (await connection.scalars(statement.limit(query.limit + 1))).all()
    wanted = found[: query.limit]
    whole = _all(select(*_columns(actor))).where(PredictionRow.id.in_(wanted))
    by_id = {row.id: row for row in await connection.execute(whole)}
    # What was deleted in between is left out.
    shown = [by_id[id] for id in wanted if id in by_id]
    return shown[::-1] if backwards else shown, len(found) > query.limit


async def next_unread(
    connection: AsyncConnection, actor: Actor, behind: UUID | None
) -> UUID | None:
    """Return what nobody has read, of those that no other is to read: the newest older than
    ``behind``, else the newest of all but that."""
    query = WorklistQuery.model_validate({"reviewed": False})
    others: ColumnElement[bool] = WorklistRow.assigned_to.is_not(None)
    if actor.id is not None:
        others = and_(others, WorklistRow.assigned_to != actor.id)
    unread = _joined(select(PredictionRow.id), actor, query).where(~others)
    unread = unread.order_by(PredictionRow.created_at.desc(), PredictionRow.id.desc()).limit(1)
    tried = [unread]
    if behind is not None:
        place = PredictionRow.created_at.expression
        tried = [unread.where(PredictionRow.id != behind)]
        with suppress(NoSuchPlaceError):
            tried.insert(0, unread.where(await _beyond(connection, actor, place, behind, True)))
    for statement in tried:
        found: UUID | None = await connection.scalar(statement)
        if found is not None:
            return found
    return None


def _places(actor: Actor) -> Mapping[Column, ColumnElement[Any]]:
    """Return what each column is ordered by; where there is nothing, it comes first."""
    own = case((sent_by(actor), PredictionRow.file_name), else_=None)
    return {
        "analysed": PredictionRow.created_at.expression,
        "probability": func.coalesce(PredictionRow.probability, rank(None)),
        "patient": func.lower(func.coalesce(PatientRow.identifier, "")),
        "exam": func.coalesce(ExamRow.acquired_on, literal(_BEFORE_ALL, Date())),
        "outcome": PredictionRow.outcome.expression,
        "file": func.lower(func.coalesce(own, "")),
        "reader": func.lower(func.coalesce(PersonRow.name, "")),
        "state": _STATE,
    }


def _columns(actor: Actor) -> tuple[Any, ...]:
    return (
        *COLUMNS,
        PatientRow.key.label("patient_key"),
        PatientRow.identifier,
        PatientRow.identifier_sealed,
        PatientRow.issuer,
        ExamRow.acquired_on,
        sent_by(actor).label("own"),
        PredictionRow.file_name,
        PredictionRow.file_name_sealed,
        PredictionRow.canonical_image_id.is_not(None).label("pictured"),
        WorklistRow.flagged_at,
        WorklistRow.assigned_to,
        PersonRow.name.label("reader"),
        WorklistRow.retired_at,
        WorklistRow.retired_reason,
    )


def _all(statement: Select[Any]) -> Select[Any]:
    """Return ``statement`` over predictions with all that they may be ordered by."""
    return (
        statement.select_from(PredictionRow)
        .outerjoin(ImageRow, ImageRow.id == PredictionRow.image_id)
        .outerjoin(ExamRow, ExamRow.id == ImageRow.exam_id)
        .outerjoin(PatientRow, PatientRow.key == ExamRow.patient_key)
        .outerjoin(WorklistRow, WorklistRow.prediction_id == PredictionRow.id)
        .outerjoin(PersonRow, PersonRow.id == WorklistRow.assigned_to)
    )


def _joined(statement: Select[Any], actor: Actor, query: WorklistQuery) -> Select[Any]:
    statement = filtered(_all(statement), actor.within, query)
    is_retired = WorklistRow.retired_at.is_not(None)
    wanted: list[ColumnElement[bool]] = [is_retired if query.retired else ~is_retired]
    if query.flagged is not None:
        is_flagged = WorklistRow.flagged_at.is_not(None)
        wanted.append(is_flagged if query.flagged else ~is_flagged)
    if query.mine:
        mine = WorklistRow.assigned_to == actor.id
        wanted.append(false() if actor.id is None else mine)
    if query.patient is not None:
        wanted.append(ExamRow.patient_key.in_(query.patient))
    if query.batch is not None:
        of = select(BatchLineRow.prediction_id).where(BatchLineRow.batch_id == query.batch)
        wanted.append(PredictionRow.id.in_(of))
    return statement.where(*wanted)


async def _count(
    connection: AsyncConnection,
    actor: Actor,
    query: WorklistQuery,
    also: ColumnElement[bool] | None = None,
) -> int:
    statement = _joined(select(func.count()), actor, query)
    if also is not None:
        statement = statement.where(also)
    return int(await connection.scalar(statement) or 0)


async def _beyond(
    connection: AsyncConnection,
    actor: Actor,
    place: ColumnElement[Any],
    id: UUID,
    below: bool,
) -> ColumnElement[bool]:
    """Return that a result's place is below, or above, the one that ``id`` has now.

    Raises :class:`~service.predictions.worklist.schemas.NoSuchPlaceError`.
    """
    statement = _all(select(place.label("place"))).where(
        PredictionRow.id == id, seen(PredictionRow, actor.within)
    )
    row = (await connection.execute(statement)).one_or_none()
    if row is None:
        raise NoSuchPlaceError
    here = tuple_(place, PredictionRow.id)
    there = tuple_(literal(row.place, place.type), literal(id, Uuid()))
    return here < there if below else here > there


def _patient(row: Row[Any]) -> str:
    """Return whose result it is; empty where nobody has said, or nobody can read it here."""
    try:
        reference = plain(row.identifier, row.identifier_sealed)
    except UnreadableError:
        return ""
    return shown(reference, row.issuer) if reference else ""


def _file_name(row: Row[Any]) -> str | None:
    try:
        name: str | None = plain(row.file_name, row.file_name_sealed)
    except UnreadableError:
        return None
    return name


async def _listed(connection: AsyncConnection, rows: Sequence[Row[Any]]) -> tuple[Listed, ...]:
    found = await complete(connection, rows)
    return tuple(
        Listed(
            result=result,
            patient=_patient(row),
            patient_key=row.patient_key,
            acquired_on=row.acquired_on,
            file_name=_file_name(row) if row.own else None,
            pictured=row.pictured,
            entry=Entry(
                flagged_at=row.flagged_at,
                assigned_to=row.assigned_to,
                reader=row.reader,
                retired_at=row.retired_at,
                retired_reason=known_reason(row.retired_reason),
            ),
        )
        for row, result in zip(rows, found, strict=True)
        if result is not None
    )
