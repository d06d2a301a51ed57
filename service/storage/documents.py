"""Many stored predictions at once, each with the review that counts.

Read by what this version knows: a field that a newer one has added is ignored, a row that cannot be
understood is one bad row.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

from pydantic import BaseModel, ValidationError
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.predictions.schemas import Prediction
from service.reviews.schemas import Review
from service.storage.database import Database, Table
from service.storage.errors import UnreadableError
from service.storage.tables import PredictionRow, ReviewRow
from telemetry.journal import log

Model = TypeVar("Model", bound=BaseModel)

COLUMNS: Final = (
    PredictionRow.id, PredictionRow.created_at, PredictionRow.probability, PredictionRow.document
)  # fmt: skip
"""What :func:`complete` goes by."""


@dataclass(frozen=True)
class Unreadable:
    """A prediction that is kept but cannot be understood here."""

    id: UUID
    created_at: datetime


def understood(database: Database, table: Table, kind: type[Model], found: object) -> Model:
    """Return what was ``found`` in ``table`` as a ``kind``. Raises :class:`UnreadableError`."""
    try:
        return kind.model_validate(found, extra="ignore")
    except ValidationError as error:
        database.unreadable(table)
        log(logging.WARNING, "row unreadable", table=table)
        raise UnreadableError from error


async def complete(
    database: Database, connection: AsyncConnection, rows: Sequence[Row[Any]]
) -> tuple[Prediction | Unreadable | None, ...]:
    """Return the prediction in each of ``rows``, of :data:`COLUMNS`; None where it has no id."""
    reviews = await _reviews(database, connection, [row.id for row in rows if row.id is not None])

    def read(row: Row[Any]) -> Prediction | Unreadable | None:
        if row.id is None:
            return None
        review = reviews.get(row.id)
        try:
            found = understood(database, "prediction", Prediction, row.document)
        except UnreadableError:
            return Unreadable(row.id, row.created_at)
        if isinstance(review, Unreadable):
            # Shown without it, a result would pass for one that nobody has overridden.
            return Unreadable(row.id, row.created_at)
        return found if review is None else found.model_copy(update={"review": review})

    return tuple(map(read, rows))


async def one(
    database: Database, connection: AsyncConnection, row: Row[Any] | None
) -> Prediction | None:
    """Return the prediction in ``row``. Raises :class:`UnreadableError`."""
    if row is None:
        return None
    (found,) = await complete(database, connection, [row])
    if isinstance(found, Unreadable):
        raise UnreadableError
    return found


async def _reviews(
    database: Database, connection: AsyncConnection, ids: Sequence[UUID]
) -> dict[UUID, Review | Unreadable]:
    """Return the last review of each prediction; Unreadable where any of its reviews is."""
    statement = (
        select(ReviewRow.prediction_id, *(getattr(ReviewRow, name) for name in Review.model_fields))
        .where(ReviewRow.prediction_id.in_(ids))
        .order_by(ReviewRow.number)
    )
    found: dict[UUID, Review | Unreadable] = {}
    for row in await connection.execute(statement):
        if isinstance(found.get(row.prediction_id), Unreadable):
            continue
        try:
            found[row.prediction_id] = understood(database, "review", Review, dict(row._mapping))
        except UnreadableError:
            found[row.prediction_id] = Unreadable(row.prediction_id, row.created_at)
    return found
