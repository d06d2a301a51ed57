"""Batches and their lines in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import Row, Select, false, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.elements import ColumnElement

from service.batches.schemas import Batch, BatchState, Checked, Line, Outcome, Sent
from service.clock import now
from service.identity.actor import Actor, Within
from service.predictions.repository import COLUMNS, complete, sent_by
from service.predictions.schemas import Prediction
from service.storage.documents import Unreadable, understood
from service.storage.encryption import plain
from service.storage.tables.batches import BatchLineRow, BatchRow
from service.storage.tables.columns import DAMAGED
from service.storage.tables.exams import ExamRow
from service.storage.tables.images import ImageRow
from service.storage.tables.predictions import PredictionRow
from service.storage.within import seen

SILENCE: Final = timedelta(seconds=30)
"""Without a word for so long, the front that worked on a batch is taken to have died."""


async def create(connection: AsyncConnection, actor: Actor, total: int) -> Batch:
    row = {"id": uuid4(), "created_at": now(), "state": "running", "total": total, "finished": 0}
    await connection.execute(
        insert(BatchRow).values(
            **row, site=actor.site, created_by=actor.id, touched_at=row["created_at"]
        )
    )
    return Batch.model_validate({**row, "remaining": tuple(range(total))})


async def get(connection: AsyncConnection, within: Within, batch_id: UUID) -> Batch | None:
    which = (BatchRow.id == batch_id, seen(BatchRow, within))
    statement = select(BatchRow.__table__).where(*which)
    done = select(BatchLineRow.item).where(BatchLineRow.batch_id == batch_id)
    row = (await connection.execute(statement)).one_or_none()
    items = set((await connection.scalars(done)).all())
    if row is None:
        return None
    found = {
        "id": row.id,
        "created_at": row.created_at,
        "state": _state(row),
        "total": row.total,
        "finished": len(items),
        "remaining": tuple(item for item in range(row.total) if item not in items),
    }
    return understood(connection, "batch", Batch, found)


def _state(row: Row[Any]) -> BatchState:
    silent = row.state == "running" and now() - row.touched_at > SILENCE
    found: BatchState = "interrupted" if silent else row.state
    return found


async def sent(connection: AsyncConnection, actor: Actor, limit: int) -> tuple[Sent, ...]:
    """Return the batches that the actor sent, the newest first."""
    own: ColumnElement[bool] = BatchRow.created_by == actor.id
    if actor.id is None:
        own = BatchRow.created_by.is_(None) if actor.is_anybody else false()
    newest = (
        select(BatchRow.__table__)
        .where(own, BatchRow.site == actor.site)
        .order_by(BatchRow.created_at.desc(), BatchRow.id)
        .limit(limit)
    )
    rows = (await connection.execute(newest)).all()
    counts = (
        select(
            BatchLineRow.batch_id,
            func.count().label("finished"),
            func.count(BatchLineRow.prediction_id).label("judged"),
        )
        .where(BatchLineRow.batch_id.in_([row.id for row in rows]))
        .group_by(BatchLineRow.batch_id)
    )
    by_id = {one.batch_id: one for one in await connection.execute(counts)}
    return tuple(
        Sent(
            id=row.id,
            created_at=row.created_at,
            state=_state(row),
            total=row.total,
            finished=by_id[row.id].finished if row.id in by_id else 0,
            failed=by_id[row.id].finished - by_id[row.id].judged if row.id in by_id else 0,
        )
        for row in rows
    )


async def names(connection: AsyncConnection, actor: Actor, batch_id: UUID) -> dict[int, str]:
    """Return the names of files that the actor sent, by their positions in a batch."""
    statement = (
        select(BatchLineRow.item, PredictionRow.file_name, PredictionRow.file_name_sealed)
        .join(PredictionRow, PredictionRow.id == BatchLineRow.prediction_id)
        .where(
            BatchLineRow.batch_id == batch_id,
            or_(PredictionRow.file_name.is_not(None), PredictionRow.file_name_sealed.is_not(None)),
            sent_by(actor),
        )
    )
    return {
        row.item: plain(row.file_name, row.file_name_sealed)
        for row in await connection.execute(statement)
    }


async def judged(connection: AsyncConnection, within: Within, batch_id: UUID) -> frozenset[str]:
    """Return the SHA-256 of the files of a batch that have a result."""
    statement = (
        select(ImageRow.sha256)
        .join(PredictionRow, PredictionRow.image_id == ImageRow.id)
        .join(BatchLineRow, BatchLineRow.prediction_id == PredictionRow.id)
        .where(BatchLineRow.batch_id == batch_id, seen(PredictionRow, within))
    )
    return frozenset(await connection.scalars(statement))


async def lines(
    connection: AsyncConnection, within: Within, batch_id: UUID, after: int, limit: int
) -> tuple[Line, ...]:
    """Return at most ``limit`` lines with a number above ``after``, lowest first."""
    statement = (
        _lines(within, batch_id)
        .where(BatchLineRow.line > after)
        .order_by(BatchLineRow.line)
        .limit(limit)
    )
    return await _read(connection, (await connection.execute(statement)).all())


def _lines(within: Within, batch_id: UUID) -> Select[Any]:
    return (
        select(BatchLineRow.line, BatchLineRow.item, BatchLineRow.problem)
        .add_columns(*COLUMNS)
        .join(BatchRow, BatchRow.id == BatchLineRow.batch_id)
        .outerjoin(PredictionRow, PredictionRow.id == BatchLineRow.prediction_id)
        .where(BatchLineRow.batch_id == batch_id, seen(BatchRow, within))
    )


async def _read(connection: AsyncConnection, rows: Sequence[Row[Any]]) -> tuple[Line, ...]:
    read = await complete(connection, rows)
    return tuple(
        Line(
            line=row.line,
            index=row.item,
            prediction=found if isinstance(found, Prediction) else None,
            problem=None if row.problem == DAMAGED else row.problem,
            unreadable=isinstance(found, Unreadable) or row.problem == DAMAGED,
        )
        for row, found in zip(rows, read, strict=True)
    )


async def checked(
    connection: AsyncConnection, within: Within, batch_id: UUID, after: int, limit: int
) -> tuple[Checked, ...]:
    """Return at most ``limit`` lines of images behind the one at ``after``, as they were sent."""
    statement = (
        _lines(within, batch_id)
        .add_columns(ExamRow.study_instance_uid, ImageRow.sop_instance_uid)
        .outerjoin(ImageRow, ImageRow.id == PredictionRow.image_id)
        .outerjoin(ExamRow, ExamRow.id == ImageRow.exam_id)
        .where(BatchLineRow.item > after)
        .order_by(BatchLineRow.item)
        .limit(limit)
    )
    rows = (await connection.execute(statement)).all()
    return tuple(
        Checked(line, row.study_instance_uid, row.sop_instance_uid)
        for line, row in zip(await _read(connection, rows), rows, strict=True)
    )


async def count(
    connection: AsyncConnection, batch_id: UUID, lines: int
) -> tuple[int, BatchState] | None:
    """Return the number of the first of so many ``lines``, which are then taken, and the state.

    None where no line may be added. The batch is held, so that lines get their numbers in turn.
    """
    statement = (
        update(BatchRow)
        .where(BatchRow.id == batch_id, BatchRow.state.in_(("running", "cancelled")))
        .values(finished=BatchRow.finished + lines, touched_at=now())
        .returning(BatchRow.finished, BatchRow.state)
    )
    counted = (await connection.execute(statement)).one_or_none()
    return None if counted is None else (counted.finished - lines + 1, counted.state)


async def add(
    connection: AsyncConnection, batch_id: UUID, first: int, outcomes: Sequence[Outcome]
) -> list[UUID | None]:
    """Write a line for each of ``outcomes``, the first with that number.

    Return the prediction of each, None where somebody has deleted it meanwhile.
    """
    named = [one.prediction_id for one in outcomes if one.prediction_id is not None]
    known: set[UUID] = set()
    if named:
        there = select(PredictionRow.id).where(PredictionRow.id.in_(named))
        known.update(await connection.scalars(there.with_for_update(read=True, key_share=True)))
    kept = [one.prediction_id if one.prediction_id in known else None for one in outcomes]
    await connection.execute(
        insert(BatchLineRow),
        [
            {
                "batch_id": batch_id,
                "line": first + number,
                "item": one.item,
                "prediction_id": prediction_id,
                "problem": None if one.problem is None else dict(one.problem),
            }
            for number, (one, prediction_id) in enumerate(zip(outcomes, kept, strict=True))
        ],
    )
    return kept


async def change(
    connection: AsyncConnection, batch_id: UUID, state: BatchState = "running"
) -> bool:
    """Say that a batch is worked on, or is in ``state`` now; False when it is not running."""
    statement = (
        update(BatchRow)
        .where(BatchRow.id == batch_id, BatchRow.state == "running")
        .values(state=state, touched_at=now())
    )
    return (await connection.execute(statement)).rowcount > 0


async def cancel_of(connection: AsyncConnection, account_id: UUID) -> None:
    """Have no further image begun of what an account has under way."""
    await connection.execute(
        update(BatchRow)
        .where(BatchRow.created_by == account_id, BatchRow.state == "running")
        .values(state="cancelled", touched_at=now())
    )
