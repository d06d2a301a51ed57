"""Heat maps, kept once they were made."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from service.heatmap import HeatMap
from service.storage.database import Database
from service.storage.models import HeatMapRow
from service.types import BaseName


class Maps:
    """Every method raises :class:`~service.storage.errors.StorageUnavailableError` when it must."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, prediction_id: UUID, model: BaseName) -> HeatMap | None:
        query = select(HeatMapRow.version, HeatMapRow.rows).where(
            HeatMapRow.prediction_id == prediction_id, HeatMapRow.model == model
        )
        async with self._database.connect() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else HeatMap(model=model, version=row.version, rows=row.rows)

    async def kept(self, prediction_id: UUID) -> frozenset[str]:
        """Return the names of the models whose maps are kept."""
        query = select(HeatMapRow.model).where(HeatMapRow.prediction_id == prediction_id)
        async with self._database.connect() as connection:
            return frozenset(await connection.scalars(query))

    async def add(self, prediction_id: UUID, found: HeatMap) -> None:
        """Keep ``found``. Two that were made at once are the same map: the first one stays."""
        insert = sqlite.insert if self._database.is_sqlite else postgresql.insert
        statement = (
            insert(HeatMapRow)
            .values(
                prediction_id=prediction_id,
                model=found.model,
                version=found.version,
                rows=found.model_dump(mode="json")["rows"],
            )
            .on_conflict_do_nothing(index_elements=["prediction_id", "model"])
        )
        async with self._database.begin() as connection:
            await connection.execute(statement)
