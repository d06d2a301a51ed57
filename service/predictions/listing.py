"""Lists of predictions, and taking one away with all that belongs to it."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, Uuid, delete, exists, func, literal, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.elements import ColumnElement

from service.predictions.query import Position, Query, Sort, rank
from service.predictions.schemas import Prediction
from service.storage.database import Database
from service.storage.documents import COLUMNS, Unreadable, complete
from service.storage.tables import PatientRow, PredictionRow, ReviewRow, StudyRow

_RANK: Final = func.coalesce(PredictionRow.probability, rank(None))
_PLACE: Final[dict[Sort, ColumnElement[Any]]] = {
    "newest": PredictionRow.created_at.expression,
    "oldest": PredictionRow.created_at.expression,
    "highest": _RANK,
    "lowest": _RANK,
}
_REVIEWED: Final = exists().where(ReviewRow.prediction_id == PredictionRow.id)


class History:
    """Every method raises :class:`~service.storage.errors.StorageError` when it must."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, query: Query
    ) -> tuple[tuple[Prediction | Unreadable, ...], Position | None]:
        """Return the predictions asked for, and where the next page begins, if there is one.

        Raises :class:`~service.predictions.query.CursorError`.
        """
        statement = _ordered(_filtered(select(*COLUMNS), query), query)
        async with self._database.connect() as connection:
            # One more than asked for says whether there is another page.
            rows = (await connection.execute(statement.limit(query.limit + 1))).all()
            shown = rows[: query.limit]
            found = await complete(self._database, connection, shown)
        more = len(rows) > query.limit
        return (
            tuple(one for one in found if one is not None),
            # By the columns that it was found by, which are there where the document is not.
            Position.of(shown[-1], query.sort) if more else None,
        )

    async def placed(self, prediction_id: UUID) -> Prediction | Unreadable | None:
        """Return a prediction as a list would: also one that cannot be read."""
        statement = select(*COLUMNS).where(PredictionRow.id == prediction_id)
        async with self._database.connect() as connection:
            rows = (await connection.execute(statement)).all()
            return next(iter(await complete(self._database, connection, rows)), None)

    async def delete(self, prediction_id: UUID) -> bool:
        """Remove a prediction with image, maps, reviews and study; False when it is not there.

        A patient whose last study this was goes too: a reference that nothing needs is not kept.
        """

        async def work(connection: AsyncConnection) -> bool:
            # In the order that facts are written in, so that the two never wait for each other.
            known = select(PredictionRow.id).where(PredictionRow.id == prediction_id)
            if await connection.scalar(known.with_for_update()) is None:
                return False
            patient = await connection.scalar(
                select(StudyRow.patient_key).where(StudyRow.prediction_id == prediction_id)
            )
            await held(connection, patient)
            await connection.execute(delete(PredictionRow).where(PredictionRow.id == prediction_id))
            if patient is not None:
                await connection.execute(without_studies(patient))
            return True

        return await self._database.write(work, frees=True)


async def held(
    connection: AsyncConnection, patient: UUID | None, reference: str | None = None
) -> None:
    """Lock the patients of this key and this reference, in an order that all keep.

    Without it one could be removed while another transaction names it.
    """
    named = or_(PatientRow.key == patient, PatientRow.reference == reference)
    await connection.execute(
        select(PatientRow.key).where(named).order_by(PatientRow.key).with_for_update()
    )


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
