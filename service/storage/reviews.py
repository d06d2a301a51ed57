"""What clinicians said, in the order they said it. There is no way to change or remove one."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError

from service.prediction import now
from service.review import Override, Review, Signature
from service.storage.database import Database
from service.storage.models import ReviewRow
from service.types import Outcome

_TRIES: Final = 5
"""Reviews of one prediction that may be written at the same moment."""

_COLUMNS: Final = (
    ReviewRow.number,
    ReviewRow.created_at,
    ReviewRow.action,
    ReviewRow.outcome,
    ReviewRow.reviewer,
    ReviewRow.reason,
)


class Reviews:
    """Every method raises :class:`~service.storage.errors.StorageUnavailableError` when it must."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self, prediction_id: UUID) -> tuple[Review, ...]:
        """Return every review of a prediction, the first one first."""
        query = (
            select(*_COLUMNS)
            .where(ReviewRow.prediction_id == prediction_id)
            .order_by(ReviewRow.number)
        )
        async with self._database.connect() as connection:
            return tuple(
                Review.model_validate(dict(row._mapping)) for row in await connection.execute(query)
            )

    async def add(
        self, prediction_id: UUID, draft: Signature | Override, outcome: Outcome
    ) -> Review:
        """Write down ``draft`` on a prediction of ``outcome`` and return it as it now stands."""
        values: dict[str, Any] = {
            "created_at": now(),
            "action": draft.action,
            "outcome": draft.outcome if isinstance(draft, Override) else outcome,
            "reviewer": draft.reviewer,
            "reason": draft.reason,
        }
        async with self._database.begin() as connection:
            for attempt in range(1, _TRIES + 1):
                number = select(func.coalesce(func.max(ReviewRow.number), 0) + 1).where(
                    ReviewRow.prediction_id == prediction_id
                )
                statement = (
                    insert(ReviewRow)
                    .values(
                        id=uuid4(),
                        prediction_id=prediction_id,
                        number=number.scalar_subquery(),
                        **values,
                    )
                    .returning(ReviewRow.number)
                )
                try:
                    async with connection.begin_nested():
                        given = (await connection.execute(statement)).scalar_one()
                    break
                except IntegrityError:
                    # PostgreSQL lets two writers read the same last number; one of them asks again.
                    if attempt == _TRIES:
                        raise
        return Review(number=given, **values)
