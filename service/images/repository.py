"""Images in SQL: each once a site, however often it is judged, with what models saw of it, and what
is kept of it as it was sent."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID, uuid5

from sqlalchemy import delete, exists, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from service.medicine.sent import SentImage
from service.storage.tables.images import CanonicalImageRow, ImageRow, SentImageRow
from service.storage.tables.modalities import CtSeriesRow
from service.storage.tables.predictions import PredictionRow

_SPACE: Final = UUID("c8f5a3c1-6f0e-4f5b-9d53-2d1b7a1e6a05")

_JUDGED: Final = exists().where(PredictionRow.image_id == ImageRow.id)
_PICTURED: Final = exists().where(CanonicalImageRow.image_id == SentImageRow.image_id)
_EXAM_PICTURED: Final = exists().where(
    ImageRow.exam_id == CtSeriesRow.exam_id, CanonicalImageRow.image_id == ImageRow.id
)
_SEEN: Final = exists().where(PredictionRow.canonical_image_id == CanonicalImageRow.id)


def image_id(site: str, sha256: str) -> UUID:
    """Return the id of the file with this hash: the same file is the same row."""
    return uuid5(_SPACE, f"{site}/{sha256}")


def canonical_image_id(image: UUID, png: bytes) -> UUID:
    return uuid5(image, hashlib.sha256(png).hexdigest())


async def place(
    connection: AsyncConnection,
    images: Sequence[Mapping[str, Any]],
    canonical_images: Sequence[Mapping[str, Any]],
) -> None:
    """Have these rows, and hold them until the transaction ends.

    So nobody removes them with the last prediction that they had before.
    """
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    for table, unchanged, rows in (
        (ImageRow, ImageRow.site, images),
        (CanonicalImageRow, CanonicalImageRow.image_id, canonical_images),
    ):
        # Changes nothing of a row that is there, but holds it.
        held = make(table).on_conflict_do_update(
            index_elements=["id"], set_={unchanged.key: unchanged}
        )
        # In an order that all keep.
        await connection.execute(held, sorted(rows, key=lambda row: str(row["id"])))


async def keep_sent(connection: AsyncConnection, sent: Mapping[UUID, SentImage]) -> None:
    """Keep images as they were sent, by the ids of rows that are held; those kept stay as they are.

    The same file has the same pixels, and what is kept of them is the operator's to say: who asks
    for less afterwards has deleted what was kept before by deleting its results.
    """
    if not sent:
        return
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    rows = [
        {
            "image_id": id,
            "left": one.box.left,
            "top": one.box.top,
            "width": one.box.width,
            "height": one.box.height,
            "row_spacing": one.spacing[0] if one.spacing else None,
            "column_spacing": one.spacing[1] if one.spacing else None,
            "png": one.png,
        }
        for id, one in sorted(sent.items(), key=str)
    ]
    statement = make(SentImageRow).on_conflict_do_nothing(index_elements=["image_id"])
    await connection.execute(statement, rows)


async def hold(connection: AsyncConnection, prediction_id: UUID) -> UUID | None:
    """Return the image of a prediction, held until the transaction ends."""
    which = select(PredictionRow.image_id).where(PredictionRow.id == prediction_id)
    statement = select(ImageRow.id).where(ImageRow.id == which.scalar_subquery()).with_for_update()
    return await connection.scalar(statement)


async def release(connection: AsyncConnection, image_id: UUID | None) -> UUID | None:
    """Remove what no prediction needs any more of an image that is held.

    Return the exam of one that is gone.
    """
    await release_pictures(connection, image_id)
    statement = delete(ImageRow).where(ImageRow.id == image_id, ~_JUDGED)
    return await connection.scalar(statement.returning(ImageRow.exam_id))


async def release_pictures(connection: AsyncConnection, image_id: UUID | None) -> None:
    """Remove what models saw of an image that is held and no prediction names any more.

    The image as it was sent goes with the last of them, and slices of CT with the exam's last.
    """
    await connection.execute(
        delete(CanonicalImageRow).where(CanonicalImageRow.image_id == image_id, ~_SEEN)
    )
    await connection.execute(
        delete(SentImageRow).where(SentImageRow.image_id == image_id, ~_PICTURED)
    )
    exam_id = await connection.scalar(select(ImageRow.exam_id).where(ImageRow.id == image_id))
    if exam_id is not None:
        await connection.execute(
            delete(CtSeriesRow).where(CtSeriesRow.exam_id == exam_id, ~_EXAM_PICTURED)
        )
