"""Batches and their lines. Any front can read them; one of them works on each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.batches.schemas import Batch, BatchState, Line
from service.clock import now
from service.predictions.schemas import Prediction
from service.storage.database import Database
from service.storage.documents import COLUMNS, Unreadable, complete, understood
from service.storage.tables import DAMAGED, BatchLineRow, BatchRow, PredictionRow

SILENCE: Final = timedelta(seconds=30)
"""Without a word for so long, the front that worked on a batch is taken to have died."""


class Batches:
    """Every method raises :class:`~service.storage.errors.StorageError` when it must."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, total: int) -> Batch:
        row = {
            "id": uuid4(),
            "created_at": now(),
            "state": "running",
            "total": total,
            "finished": 0,
        }
        statement = insert(BatchRow).values(**row, touched_at=row["created_at"])
        await self._database.write(lambda connection: connection.execute(statement))
        return Batch.model_validate({**row, "remaining": tuple(range(total))})

    async def get(self, batch_id: UUID) -> Batch | None:
        statement = select(BatchRow.__table__).where(BatchRow.id == batch_id)
        done = select(BatchLineRow.item).where(BatchLineRow.batch_id == batch_id)
        async with self._database.connect() as connection:
            row = (await connection.execute(statement)).one_or_none()
            items = set((await connection.scalars(done)).all())
        if row is None:
            return None
        silent = row.state == "running" and now() - row.touched_at > SILENCE
        found = {
            "id": row.id,
            "created_at": row.created_at,
            "state": "interrupted" if silent else row.state,
            "total": row.total,
            "finished": len(items),
            "remaining": tuple(item for item in range(row.total) if item not in items),
        }
        return understood(self._database, "batch", Batch, found)

    async def lines(self, batch_id: UUID, after: int, limit: int) -> tuple[Line, ...]:
        """Return at most ``limit`` lines with a number above ``after``, lowest first."""
        statement = (
            select(BatchLineRow.line, BatchLineRow.item, BatchLineRow.problem)
            .add_columns(*COLUMNS)
            .outerjoin(PredictionRow, PredictionRow.id == BatchLineRow.prediction_id)
            .where(BatchLineRow.batch_id == batch_id, BatchLineRow.line > after)
            .order_by(BatchLineRow.line)
            .limit(limit)
        )
        async with self._database.connect() as connection:
            rows = (await connection.execute(statement)).all()
            read = await complete(self._database, connection, rows)
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

    async def add(
        self,
        batch_id: UUID,
        item: int,
        prediction_id: UUID | None = None,
        problem: Mapping[str, str] | None = None,
    ) -> bool:
        """Write the next line; False when no further item is to be begun.

        What was in hand when a batch was cancelled still gets its line.
        """

        async def work(connection: AsyncConnection) -> bool:
            # Counting first takes the row's lock, so that lines get their numbers one by one.
            counted = (
                await connection.execute(
                    update(BatchRow)
                    .where(BatchRow.id == batch_id, BatchRow.state.in_(("running", "cancelled")))
                    .values(finished=BatchRow.finished + 1, touched_at=now())
                    .returning(BatchRow.finished, BatchRow.state)
                )
            ).one_or_none()
            if counted is None:
                return False
            # Somebody may have deleted it already; then the line says as much.
            kept = select(PredictionRow.id).where(PredictionRow.id == prediction_id)
            await connection.execute(
                insert(BatchLineRow).values(
                    batch_id=batch_id,
                    line=counted.finished,
                    item=item,
                    prediction_id=await connection.scalar(
                        kept.with_for_update(read=True, key_share=True)
                    ),
                    problem=None if problem is None else dict(problem),
                )
            )
            return bool(counted.state == "running")

        return await self._database.write(work)

    async def touch(self, batch_id: UUID) -> bool:
        """Say that it is still being worked on; False when it is not running any more."""
        return await self._set(batch_id, touched_at=now())

    async def end(self, batch_id: UUID, state: BatchState) -> bool:
        """Leave the state running; False when it had been left before."""
        return await self._set(batch_id, state=state, touched_at=now())

    async def _set(self, batch_id: UUID, **values: Any) -> bool:
        statement = (
            update(BatchRow)
            .where(BatchRow.id == batch_id, BatchRow.state == "running")
            .values(**values)
        )
        done = await self._database.write(lambda connection: connection.execute(statement))
        return done.rowcount > 0
