"""Heat maps, kept once they were made."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from service.predictions.heat_maps.schemas import HeatMap
from service.storage.database import Database
from service.storage.documents import understood
from service.storage.errors import UnreadableError
from service.storage.tables import HeatMapRow
from service.types import BaseName


class Maps:
    """Every method raises :class:`~service.storage.errors.StorageError` when it must."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, prediction_id: UUID, model: BaseName) -> HeatMap | None:
        query = select(HeatMapRow.version, HeatMapRow.rows).where(
            HeatMapRow.prediction_id == prediction_id, HeatMapRow.model == model
        )
        async with self._database.connect() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            return None
        found = {"model": model, "version": row.version, "rows": row.rows}
        with suppress(UnreadableError):
            return understood(self._database, "heat_map", HeatMap, found)
        # It can be drawn again.
        return None

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
        await self._database.write(lambda connection: connection.execute(statement))
