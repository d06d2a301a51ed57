"""Series of CT in SQL: one an exam, its slices beside it."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.clock import now
from service.identity.actor import Within
from service.medicine.modalities.ct.schemas import SeriesAnswer
from service.medicine.modalities.ct.series import Series
from service.storage.tables.images import ImageRow
from service.storage.tables.modalities import CtSeriesRow, CtSliceRow
from service.storage.tables.predictions import PredictionRow
from service.storage.within import seen

WAITS: Final = timedelta(days=1)
"""How long the slices of a series that nobody measures are kept."""


@dataclass(frozen=True, eq=False)
class KeptSeries:
    """A series as it is kept, and its overview as PNG."""

    answer: SeriesAnswer
    overview: bytes


@dataclass(frozen=True, eq=False)
class KeptSlice:
    """Stored values, (rows, columns), and their slope and intercept."""

    stored: NDArray[np.integer]
    rescale: tuple[float, float]


async def replace(
    connection: AsyncConnection, exam_id: UUID, series: Series, answer: SeriesAnswer
) -> None:
    """Put ``series`` in the place of the one before."""
    await remove(connection, exam_id)
    document = answer.model_dump(mode="json", exclude={"slices"})
    await connection.execute(
        insert(CtSeriesRow).values(
            exam_id=exam_id, document=document, overview=series.overview, received_at=now()
        )
    )
    rows: list[dict[str, Any]] = [
        {
            "exam_id": exam_id,
            "number": number,
            "document": {
                "rescale": list(one.rescale),
                "signed": one.signed,
                "position": one.position,
            },
            "stored": one.stored,
        }
        for number, one in enumerate(series.slices, start=1)
    ]
    await connection.execute(insert(CtSliceRow), rows)


async def remove(connection: AsyncConnection, exam_id: UUID) -> None:
    await connection.execute(delete(CtSliceRow).where(CtSliceRow.exam_id == exam_id))
    await connection.execute(delete(CtSeriesRow).where(CtSeriesRow.exam_id == exam_id))


async def keep_only(connection: AsyncConnection, exam_id: UUID, number: int) -> None:
    """Let go of every slice but the one that was measured."""
    await connection.execute(
        delete(CtSliceRow).where(CtSliceRow.exam_id == exam_id, CtSliceRow.number != number)
    )


async def let_go(connection: AsyncConnection) -> None:
    """Remove series that waited for longer than :data:`WAITS` without being measured.

    Of a measured one a single slice is left, by which it is told from them.
    """
    many = (
        select(CtSliceRow.exam_id).group_by(CtSliceRow.exam_id).having(func.count() > 1)
    ).scalar_subquery()
    old = select(CtSeriesRow.exam_id).where(
        CtSeriesRow.received_at < now() - WAITS, CtSeriesRow.exam_id.in_(many)
    )
    for exam_id in (await connection.scalars(old)).all():
        await remove(connection, exam_id)


async def get(
    connection: AsyncConnection, within: Within, prediction_id: UUID
) -> KeptSeries | None:
    """Return the series of a prediction's exam; None where there is none to be seen."""
    statement = (
        select(CtSeriesRow.exam_id, CtSeriesRow.document, CtSeriesRow.overview)
        .join(ImageRow, ImageRow.exam_id == CtSeriesRow.exam_id)
        .join(PredictionRow, PredictionRow.image_id == ImageRow.id)
        .where(PredictionRow.id == prediction_id, seen(PredictionRow, within))
    )
    row = (await connection.execute(statement)).one_or_none()
    if row is None:
        return None
    numbers = select(CtSliceRow.number).where(CtSliceRow.exam_id == row.exam_id)
    kept: Sequence[int] = (await connection.scalars(numbers.order_by(CtSliceRow.number))).all()
    answer = SeriesAnswer.model_validate({**row.document, "slices": tuple(kept)}, extra="ignore")
    return KeptSeries(answer, row.overview)


async def get_slice(
    connection: AsyncConnection, within: Within, prediction_id: UUID, number: int
) -> KeptSlice | None:
    """Return one slice of a prediction's exam."""
    statement = (
        select(CtSliceRow.document, CtSliceRow.stored, CtSeriesRow.document.label("series"))
        .join(CtSeriesRow, CtSeriesRow.exam_id == CtSliceRow.exam_id)
        .join(ImageRow, ImageRow.exam_id == CtSliceRow.exam_id)
        .join(PredictionRow, PredictionRow.image_id == ImageRow.id)
        .where(
            PredictionRow.id == prediction_id,
            seen(PredictionRow, within),
            CtSliceRow.number == number,
        )
    )
    row = (await connection.execute(statement)).one_or_none()
    if row is None:
        return None
    slope, intercept = row.document["rescale"]
    values = np.frombuffer(zlib.decompress(row.stored), "<i2" if row.document["signed"] else "<u2")
    return KeptSlice(values.reshape(row.series["rows"], row.series["columns"]), (slope, intercept))
