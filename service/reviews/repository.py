"""Reviews in SQL, in the order they were written. There is no way to change or remove one."""

from __future__ import annotations

from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.reviews.schemas import Review
from service.storage.documents import understood
from service.storage.tables import PredictionRow, ReviewRow

_COLUMNS: Final = tuple(getattr(ReviewRow, name) for name in Review.model_fields)


async def lock(connection: AsyncConnection, prediction_id: UUID) -> bool:
    """Hold the prediction until the transaction ends; False when it is not there.

    So reviews are numbered one after the other, and none is orphaned.
    """
    known = select(PredictionRow.id).where(PredictionRow.id == prediction_id)
    return await connection.scalar(known.with_for_update(key_share=True)) is not None


async def of(connection: AsyncConnection, prediction_id: UUID) -> tuple[Review, ...]:
    """Return every review of a prediction, the first one first."""
    query = (
        select(*_COLUMNS).where(ReviewRow.prediction_id == prediction_id).order_by(ReviewRow.number)
    )
    return tuple(
        understood(connection, "review", Review, dict(row._mapping))
        for row in await connection.execute(query)
    )


async def add(connection: AsyncConnection, prediction_id: UUID, review: Review) -> None:
    await connection.execute(
        insert(ReviewRow).values(
            id=uuid4(), prediction_id=prediction_id, **review.model_dump(mode="python")
        )
    )
