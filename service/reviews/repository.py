"""What clinicians said, in the order they said it. There is no way to change or remove one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.clock import now
from service.reviews.schemas import Override, Review, Signature, version
from service.storage.database import Database
from service.storage.documents import understood
from service.storage.errors import ChangedError, GoneError
from service.storage.tables import PredictionRow, ReviewRow
from service.types import Outcome

_COLUMNS: Final = (
    ReviewRow.number,
    ReviewRow.created_at,
    ReviewRow.action,
    ReviewRow.outcome,
    ReviewRow.reviewer,
    ReviewRow.reason,
)


class Reviews:
    """Every method raises :class:`~service.storage.errors.StorageError` when it must."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self, prediction_id: UUID) -> tuple[Review, ...]:
        """Return every review of a prediction, the first one first."""
        async with self._database.connect() as connection:
            return await self._all(connection, prediction_id)

    async def add(
        self,
        prediction_id: UUID,
        draft: Signature | Override,
        outcome: Outcome,
        seen: Collection[str] | None = None,
    ) -> Review:
        """Write down ``draft`` on a prediction of ``outcome`` and return it as it now stands.

        Where ``seen`` is given, only if :func:`~service.reviews.schemas.version` of the reviews
        there now is one of them; :class:`~service.storage.errors.ChangedError` holds them. One
        that says word for word what the last review says is that review, sent twice.
        """
        values: dict[str, Any] = {
            "created_at": now(),
            "action": draft.action,
            "outcome": draft.outcome if isinstance(draft, Override) else outcome,
            "reviewer": draft.reviewer,
            "reason": draft.reason,
        }

        async def work(connection: AsyncConnection) -> Review:
            # Locked, so that reviews are numbered one after the other and none is orphaned.
            known = select(PredictionRow.id).where(PredictionRow.id == prediction_id)
            if await connection.scalar(known.with_for_update(key_share=True)) is None:
                raise GoneError("There is no result with this id.")
            earlier = await self._all(connection, prediction_id)
            if seen is not None and version(earlier) not in seen:
                last = earlier[-1] if earlier else None
                if last is not None and _same(last, values):
                    return last
                raise ChangedError(earlier)
            review = Review(number=1 + max((one.number for one in earlier), default=0), **values)
            await connection.execute(
                insert(ReviewRow).values(
                    id=uuid4(), prediction_id=prediction_id, number=review.number, **values
                )
            )
            return review

        return await self._database.write(work)

    async def _all(self, connection: AsyncConnection, prediction_id: UUID) -> tuple[Review, ...]:
        query = (
            select(*_COLUMNS)
            .where(ReviewRow.prediction_id == prediction_id)
            .order_by(ReviewRow.number)
        )
        return tuple(
            understood(self._database, "review", Review, dict(row._mapping))
            for row in await connection.execute(query)
        )


def _same(review: Review, values: Mapping[str, Any]) -> bool:
    said = ("action", "outcome", "reviewer", "reason")
    return all(getattr(review, name) == values[name] for name in said)
