"""Many stored predictions at once, each with the review that counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.prediction import Prediction
from service.review import Review
from service.storage.models import ReviewRow


async def complete(
    connection: AsyncConnection, documents: Sequence[dict[str, Any] | None]
) -> tuple[Prediction | None, ...]:
    """Return the prediction in each of ``documents``; None stays None."""
    found = [None if one is None else Prediction.model_validate(one) for one in documents]
    statement = (
        select(ReviewRow.prediction_id, *(getattr(ReviewRow, name) for name in Review.model_fields))
        .where(ReviewRow.prediction_id.in_([one.id for one in found if one is not None]))
        .order_by(ReviewRow.number)
    )
    # The last one of each prediction stays.
    reviews = {
        row.prediction_id: Review.model_validate(
            {name: row._mapping[name] for name in Review.model_fields}
        )
        for row in await connection.execute(statement)
    }
    return tuple(
        one and one.model_copy(update={"review": reviews.get(one.id, one.review)}) for one in found
    )
