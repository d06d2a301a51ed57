"""Lists of predictions, and taking one away with all that belongs to it."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, Uuid, delete, exists, func, literal, select, tuple_
from sqlalchemy.sql.elements import ColumnElement

from service.listing import Position, Query, Sort, rank
from service.prediction import Prediction
from service.storage.database import Database
from service.storage.documents import complete
from service.storage.models import PatientRow, PredictionRow, ReviewRow, StudyRow

_RANK: Final = func.coalesce(PredictionRow.probability, rank(None))
_PLACE: Final[dict[Sort, ColumnElement[Any]]] = {
    "newest": PredictionRow.created_at.expression,
    "oldest": PredictionRow.created_at.expression,
    "highest": _RANK,
    "lowest": _RANK,
}
_REVIEWED: Final = exists().where(ReviewRow.prediction_id == PredictionRow.id)


class History:
    """Every method raises :class:`~service.storage.errors.StorageUnavailableError` when it must."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, query: Query) -> tuple[tuple[Prediction, ...], Position | None]:
        """Return the predictions asked for, and where the next page begins, if there is one.

        Raises :class:`~service.listing.CursorError`.
        """
        statement = _ordered(_filtered(select(PredictionRow.document), query), query)
        async with self._database.connect() as connection:
            # One more than asked for says whether there is another page.
            documents = (await connection.scalars(statement.limit(query.limit + 1))).all()
            read = await complete(connection, documents[: query.limit])
        found = tuple(one for one in read if one is not None)
        more = len(documents) > query.limit
        return found, Position.of(found[-1], query.sort) if more else None

    async def delete(self, prediction_id: UUID) -> bool:
        """Remove a prediction with image, maps, reviews and study; False when it is not there.

        A patient whose last study this was goes too: a reference that nothing needs is not kept.
        """
        async with self._database.begin() as connection:
            patient = await connection.scalar(
                select(StudyRow.patient_key).where(StudyRow.prediction_id == prediction_id)
            )
            gone = await connection.execute(
                delete(PredictionRow).where(PredictionRow.id == prediction_id)
            )
            if patient is not None:
                await connection.execute(without_studies(patient))
            return gone.rowcount > 0


def without_studies(patient: UUID) -> Any:
    """Return the statement that removes ``patient`` unless a study still names it."""
    named = exists().where(StudyRow.patient_key == patient)
    return delete(PatientRow).where(PatientRow.key == patient, ~named)


def _filtered(statement: Select[Any], query: Query) -> Select[Any]:
    wanted: list[ColumnElement[bool]] = []
    if query.outcome is not None:
        wanted.append(PredictionRow.outcome == query.outcome)
    if query.degraded is not None:
        wanted.append(PredictionRow.degraded == query.degraded)
    if query.reviewed is not None:
        wanted.append(_REVIEWED if query.reviewed else ~_REVIEWED)
    if query.first is not None:
        wanted.append(PredictionRow.created_at >= query.first)
    if query.end is not None:
        wanted.append(PredictionRow.created_at < query.end)
    if query.image is not None:
        wanted.append(PredictionRow.image_sha256 == query.image)
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
