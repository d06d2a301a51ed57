"""Predictions in SQL. Speaks in value objects, on the connection that it is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Row,
    Select,
    Uuid,
    and_,
    delete,
    exists,
    false,
    func,
    insert,
    literal,
    select,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased
from sqlalchemy.sql.elements import ColumnElement

from models.image.cropping import Box
from service.identity.actor import Actor, Within
from service.images import repository as images
from service.medicine.sent import SentImage
from service.predictions.query import Filters, Position, Query, Sort, rank
from service.predictions.schemas import Prediction
from service.reviews import repository as reviews
from service.reviews.schemas import Review, standing
from service.storage import encryption
from service.storage.documents import Unreadable, understood
from service.storage.errors import UnreadableError
from service.storage.tables.columns import Cell
from service.storage.tables.images import CanonicalImageRow, ImageRow, SentImageRow
from service.storage.tables.predictions import PredictionRow
from service.storage.tables.reviews import ReviewRow
from service.storage.tables.worklist import WorklistRow
from service.storage.within import seen

COLUMNS: Final = (
    PredictionRow.id, PredictionRow.created_at, PredictionRow.probability, PredictionRow.document
)  # fmt: skip
"""What :func:`complete` goes by."""

_RANK: Final = func.coalesce(PredictionRow.probability, rank(None))
_PLACE: Final[dict[Sort, ColumnElement[Any]]] = {
    "newest": PredictionRow.created_at.expression,
    "oldest": PredictionRow.created_at.expression,
    "highest": _RANK,
    "lowest": _RANK,
}
_RETIRED: Final = exists().where(
    WorklistRow.prediction_id == PredictionRow.id, WorklistRow.retired_at.is_not(None)
)
_PLACED: Final = (
    SentImageRow.left, SentImageRow.top, SentImageRow.width, SentImageRow.height,
    SentImageRow.row_spacing, SentImageRow.column_spacing,
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class New:
    """A prediction to keep, with the image as the models saw it and, where that is kept, as it was
    sent, under an idempotency ``key``."""

    site: str
    prediction: Prediction
    png: bytes
    key: str | None = None
    created_by: UUID | None = None
    sent: SentImage | None = None
    file_name: str | None = None


@dataclass(frozen=True)
class SentPlace:
    """Which part of the image as it was sent is kept, ``spacing`` in mm from row to row and from
    column to column, None where the file does not say."""

    box: Box
    spacing: tuple[float, float] | None


async def add(connection: AsyncConnection, new: Sequence[New]) -> None:
    """Write predictions, each with its image."""
    files = {
        images.image_id(one.site, one.prediction.image.sha256): {
            "site": one.site,
            "sha256": one.prediction.image.sha256,
        }
        for one in new
    }
    ids = [images.image_id(one.site, one.prediction.image.sha256) for one in new]
    pictures = [images.canonical_image_id(id, one.png) for id, one in zip(ids, new, strict=True)]
    seen = {
        picture: {"image_id": id, "png": one.png}
        for picture, id, one in zip(pictures, ids, new, strict=True)
    }
    await images.place(
        connection,
        [{"id": id, **row} for id, row in files.items()],
        [{"id": id, **row} for id, row in seen.items()],
    )
    await images.keep_sent(
        connection,
        {id: one.sent for id, one in zip(ids, new, strict=True) if one.sent is not None},
    )
    is_encrypted = encryption.of(connection).is_on
    await connection.execute(
        insert(PredictionRow),
        [
            {
                "id": one.prediction.id,
                "site": one.site,
                "created_at": one.prediction.created_at,
                "outcome": one.prediction.outcome,
                "image_id": id,
                "canonical_image_id": picture,
                "version": one.prediction.version,
                "created_by": one.created_by,
                **_named(one, is_encrypted),
                "idempotency_key": one.key,
                "degraded": one.prediction.degraded,
                "probability": one.prediction.probability,
                # What clinicians say later has a table of its own.
                "document": one.prediction.model_dump(mode="json", exclude={"review"}),
            }
            for one, id, picture in zip(new, ids, pictures, strict=True)
        ],
    )


def _named(one: New, is_encrypted: bool) -> dict[str, Any]:
    if one.file_name is None or not is_encrypted:
        return {"file_name": one.file_name, "file_name_sealed": None}
    sealed = Cell.of(one.file_name, one.prediction.id)
    return {"file_name": None, "file_name_sealed": sealed}


async def get(
    connection: AsyncConnection, within: Within, prediction_id: UUID
) -> Prediction | None:
    return await _one(connection, _is(within, prediction_id))


@dataclass(frozen=True, kw_only=True)
class Sent:
    """That an image was sent, and what came of it."""

    prediction_id: UUID
    at: datetime


async def sent_before(
    connection: AsyncConnection, actor: Actor, prediction_id: UUID
) -> Sent | None:
    """Return when the actor sent the image of a prediction last before it."""
    this = aliased(PredictionRow)
    query = (
        select(PredictionRow.id, PredictionRow.created_at)
        .join(this, this.image_id == PredictionRow.image_id)
        .where(
            this.id == prediction_id,
            sent_by(actor),
            tuple_(PredictionRow.created_at, PredictionRow.id) < tuple_(this.created_at, this.id),
        )
        .order_by(PredictionRow.created_at.desc(), PredictionRow.id.desc())
        .limit(1)
    )
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else Sent(prediction_id=row.id, at=row.created_at)


async def file_name(connection: AsyncConnection, actor: Actor, prediction_id: UUID) -> str | None:
    query = select(PredictionRow.file_name, PredictionRow.file_name_sealed).where(
        PredictionRow.id == prediction_id, sent_by(actor)
    )
    row = (await connection.execute(query)).one_or_none()
    found: str | None = (
        None if row is None else encryption.plain(row.file_name, row.file_name_sealed)
    )
    return found


def sent_by(actor: Actor) -> ColumnElement[bool]:
    """Return that a prediction's image came from ``actor``: where nobody signs in, from anybody."""
    own = PredictionRow.created_by == actor.id
    if actor.id is None:
        own = PredictionRow.created_by.is_(None) if actor.is_anybody else false()
    return and_(own, PredictionRow.site == actor.site)


async def under(connection: AsyncConnection, site: str, key: str) -> Prediction | None:
    """Return the prediction that was made at ``site`` under an idempotency ``key``."""
    named = and_(PredictionRow.idempotency_key == key, PredictionRow.site == site)
    return await _one(connection, named)


async def image(connection: AsyncConnection, within: Within, prediction_id: UUID) -> bytes | None:
    """Return the image as the models saw it (PNG)."""
    query = (
        select(CanonicalImageRow.png)
        .join(PredictionRow, PredictionRow.canonical_image_id == CanonicalImageRow.id)
        .where(_is(within, prediction_id))
    )
    return await connection.scalar(query)


async def is_pictured(connection: AsyncConnection, within: Within, prediction_id: UUID) -> bool:
    """Whether a prediction's image as the models saw it is kept."""
    named = PredictionRow.canonical_image_id.is_not(None)
    query = select(PredictionRow.id).where(_is(within, prediction_id), named)
    return await connection.scalar(query) is not None


async def sent(
    connection: AsyncConnection, within: Within, prediction_id: UUID
) -> SentImage | None:
    """Return the image as it was sent; None where it is not kept."""
    query = (
        select(SentImageRow)
        .join(PredictionRow, PredictionRow.image_id == SentImageRow.image_id)
        .where(_is(within, prediction_id))
    )
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else SentImage(row.png, *_sent_place(row))


async def sent_places(
    connection: AsyncConnection, within: Within, prediction_ids: Sequence[UUID]
) -> dict[UUID, SentPlace]:
    """Return where the images lie that are kept as they were sent, by their predictions."""
    query = (
        select(PredictionRow.id, *_PLACED)
        .join(SentImageRow, PredictionRow.image_id == SentImageRow.image_id)
        .where(PredictionRow.id.in_(prediction_ids), seen(PredictionRow, within))
    )
    rows = await connection.execute(query)
    return {row.id: SentPlace(*_sent_place(row)) for row in rows}


async def canonical_image(
    connection: AsyncConnection, within: Within, prediction_id: UUID
) -> UUID | None:
    """Return the id of the image as the models saw it: the same picture, the same id."""
    query = select(PredictionRow.canonical_image_id).where(_is(within, prediction_id))
    return await connection.scalar(query)


async def placed(
    connection: AsyncConnection, within: Within, prediction_id: UUID
) -> Prediction | Unreadable | None:
    """Return a prediction as a list would: also one that cannot be read."""
    statement = select(*COLUMNS).where(_is(within, prediction_id))
    rows = (await connection.execute(statement)).all()
    return next(iter(await complete(connection, rows)), None)


async def page(
    connection: AsyncConnection, within: Within | None, query: Query
) -> tuple[tuple[Prediction | Unreadable, ...], Position | None]:
    """Return the predictions asked for, and where the next page begins, if there is one.

    All of them where ``within`` is None.

    Raises :class:`~service.predictions.query.CursorError`.
    """
    statement = _ordered(filtered(select(*COLUMNS), within, query), query)
    if query.retired is not None:
        statement = statement.where(_RETIRED if query.retired else ~_RETIRED)
    # One more than asked for says whether there is another page.
    rows = (await connection.execute(statement.limit(query.limit + 1))).all()
    shown = rows[: query.limit]
    found = await complete(connection, shown)
    return (
        tuple(one for one in found if one is not None),
        # By the columns that it was found by, which are there where the document is not.
        Position.of(shown[-1], query.sort) if len(rows) > query.limit else None,
    )


async def lock(connection: AsyncConnection, within: Within, prediction_id: UUID) -> bool:
    """Hold a prediction until the transaction ends; False when it is not there to be seen.

    Whoever writes what belongs to it does so first, so that none waits for another in a circle.
    """
    known = select(PredictionRow.id).where(_is(within, prediction_id))
    return await connection.scalar(known.with_for_update()) is not None


async def remove(connection: AsyncConnection, prediction_id: UUID) -> bool:
    """Remove a prediction with its maps; False, and nothing is removed, where it is signed.

    The only statement that removes one. What else was said of it is gone already, or the database
    refuses.
    """
    statement = delete(PredictionRow).where(PredictionRow.id == prediction_id, ~reviews.SIGNED)
    return (await connection.execute(statement)).rowcount > 0


async def forget_picture(connection: AsyncConnection, prediction_id: UUID) -> bool:
    """Have a prediction name no image as the models saw it; False where it named none."""
    named = PredictionRow.canonical_image_id.is_not(None)
    statement = (
        update(PredictionRow)
        .where(PredictionRow.id == prediction_id, named)
        .values(canonical_image_id=None)
    )
    return (await connection.execute(statement)).rowcount > 0


async def forget_image(connection: AsyncConnection, prediction_id: UUID) -> None:
    """Have a prediction name no image, no file, and no request that made it."""
    statement = update(PredictionRow).where(PredictionRow.id == prediction_id)
    await connection.execute(
        statement.values(
            canonical_image_id=None,
            image_id=None,
            idempotency_key=None,
            file_name=None,
            file_name_sealed=None,
        )
    )


async def complete(
    connection: AsyncConnection, rows: Sequence[Row[Any]]
) -> tuple[Prediction | Unreadable | None, ...]:
    """Return the prediction in each of ``rows``, of :data:`COLUMNS`, with the review that counts.

    None where a row has no id.
    """
    documents = {row.id: row.document for row in rows if row.id is not None}
    last = await _reviews(connection, documents)

    def read(row: Row[Any]) -> Prediction | Unreadable | None:
        if row.id is None:
            return None
        review = last.get(row.id)
        try:
            found = understood(connection, "prediction", Prediction, row.document)
        except UnreadableError:
            return Unreadable(row.id, row.created_at)
        if isinstance(review, Unreadable):
            # Shown without it, a result would pass for one that nobody has overridden.
            return Unreadable(row.id, row.created_at)
        return found if review is None else found.model_copy(update={"review": review})

    return tuple(map(read, rows))


def _sent_place(row: Any) -> tuple[Box, tuple[float, float] | None]:
    box = Box(row.left, row.top, row.width, row.height)
    if row.row_spacing is None or row.column_spacing is None:
        return box, None
    return box, (row.row_spacing, row.column_spacing)


def _is(within: Within, prediction_id: UUID) -> ColumnElement[bool]:
    return and_(PredictionRow.id == prediction_id, seen(PredictionRow, within))


async def _one(connection: AsyncConnection, which: ColumnElement[bool]) -> Prediction | None:
    """Raises :class:`UnreadableError`."""
    row = (await connection.execute(select(*COLUMNS).where(which))).one_or_none()
    if row is None:
        return None
    (found,) = await complete(connection, [row])
    if isinstance(found, Unreadable):
        raise UnreadableError
    return found


async def _reviews(
    connection: AsyncConnection, documents: Mapping[UUID, object]
) -> dict[UUID, Review | Unreadable]:
    """Return the review that counts of each prediction; Unreadable where any of its reviews is.

    ``documents``: the predictions as they are kept, by id.
    """
    statement = (
        select(ReviewRow.prediction_id, *reviews.COLUMNS)
        .where(ReviewRow.prediction_id.in_(list(documents)))
        .order_by(ReviewRow.number)
    )
    every: dict[UUID, list[Review]] = {}
    bad: dict[UUID, Review | Unreadable] = {}
    for row in await connection.execute(statement):
        id = row.prediction_id
        if id in bad:
            continue
        try:
            every.setdefault(id, []).append(reviews.read(connection, row, documents[id]))
        except UnreadableError:
            bad[id] = Unreadable(id, row.created_at)
    counts = {id: standing(found) for id, found in every.items()}
    return {id: one for id, one in counts.items() if one is not None} | bad


def filtered(statement: Select[Any], within: Within | None, query: Filters) -> Select[Any]:
    wanted: list[ColumnElement[bool]] = [] if within is None else [seen(PredictionRow, within)]
    if query.outcome is not None:
        wanted.append(PredictionRow.outcome == query.outcome)
    if query.degraded is not None:
        wanted.append(PredictionRow.degraded == query.degraded)
    if query.reviewed is not None:
        stands = reviews.STANDING
        wanted.append(stands.is_not(None) if query.reviewed else stands.is_(None))
    if query.first is not None:
        wanted.append(PredictionRow.created_at >= query.first)
    if query.end is not None:
        wanted.append(PredictionRow.created_at < query.end)
    if query.image is not None:
        same = select(ImageRow.id).where(ImageRow.sha256 == query.image)
        if within is not None:
            same = same.where(ImageRow.site == within.site)
        wanted.append(PredictionRow.image_id.in_(same))
    if query.version is not None:
        wanted.append(PredictionRow.version == query.version)
    if query.ids is not None:
        wanted.append(PredictionRow.id.between(*query.ids))
    return statement.where(*wanted)


def _ordered(statement: Select[Any], query: Query) -> Select[Any]:
    place = _PLACE[query.sort]
    descending = query.sort in ("newest", "highest")
    position = query.position
    if position is not None:
        here = tuple_(place, PredictionRow.id)
        there = tuple_(literal(position.value, place.type), literal(position.id, Uuid()))
        statement = statement.where(here < there if descending else here > there)
    columns = (place, PredictionRow.id)
    return statement.order_by(*(one.desc() if descending else one.asc() for one in columns))
