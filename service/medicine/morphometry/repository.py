"""Kept points in SQL, in the order they were kept. None is changed, nor removed one by one."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.identity.actor import Within
from service.medicine.morphometry.kept import KeptPoints, Picture
from service.storage.documents import understood
from service.storage.tables.morphometry import LateralPointsRow
from service.storage.tables.predictions import PredictionRow
from service.storage.within import seen

_COLUMNS: Final = (
    LateralPointsRow.number, LateralPointsRow.kept_at, LateralPointsRow.reader,
    LateralPointsRow.person_id, LateralPointsRow.document,
)  # fmt: skip


async def picture(
    connection: AsyncConnection, within: Within, prediction_id: UUID
) -> Picture | None:
    """Return which image a prediction is of, and hold the prediction; None where it is not there.

    It is held until the transaction ends: so versions are numbered one after the other.
    """
    known = select(PredictionRow.document).where(
        PredictionRow.id == prediction_id, seen(PredictionRow, within)
    )
    row = (await connection.execute(known.with_for_update(key_share=True))).one_or_none()
    return None if row is None else understood(connection, "prediction", Picture, row.document)


async def of(
    connection: AsyncConnection, within: Within, prediction_id: UUID
) -> tuple[KeptPoints, ...]:
    """Return every version of a prediction's points, the first one first."""
    statement = (
        select(*_COLUMNS)
        .join(PredictionRow, PredictionRow.id == LateralPointsRow.prediction_id)
        .where(LateralPointsRow.prediction_id == prediction_id, seen(PredictionRow, within))
        .order_by(LateralPointsRow.number)
    )
    return tuple(_read(connection, row) for row in await connection.execute(statement))


async def add(connection: AsyncConnection, prediction_id: UUID, kept: KeptPoints) -> None:
    await connection.execute(
        insert(LateralPointsRow).values(
            id=uuid4(),
            prediction_id=prediction_id,
            number=kept.number,
            kept_at=kept.kept_at,
            reader=kept.by,
            person_id=kept.person_id,
            document=kept.model_dump(mode="json", include={"vertebrae", "pixel_aspect"}),
        )
    )


async def remove(connection: AsyncConnection, prediction_id: UUID) -> None:
    """Remove all versions of a prediction's points, where they are to go with its image."""
    theirs = LateralPointsRow.prediction_id == prediction_id
    await connection.execute(delete(LateralPointsRow).where(theirs))


def _read(connection: AsyncConnection, row: Any) -> KeptPoints:
    found = {
        **(row.document if isinstance(row.document, dict) else {}),
        "number": row.number,
        "kept_at": row.kept_at,
        "by": row.reader,
        "person_id": row.person_id,
    }
    return understood(connection, "lateral_points", KeptPoints, found)
