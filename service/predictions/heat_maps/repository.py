"""Heat maps in SQL, kept once they were made."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from service.predictions.heat_maps.schemas import HeatMap
from service.storage.documents import understood
from service.storage.errors import UnreadableError
from service.storage.tables.predictions import HeatMapRow
from service.types import BaseName


async def get(connection: AsyncConnection, prediction_id: UUID, model: BaseName) -> HeatMap | None:
    query = select(HeatMapRow.version, HeatMapRow.rows).where(
        HeatMapRow.prediction_id == prediction_id, HeatMapRow.model == model
    )
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    found = {"model": model, "version": row.version, "rows": row.rows}
    with suppress(UnreadableError):
        return understood(connection, "heat_map", HeatMap, found)
    # It can be drawn again.
    return None


async def kept(connection: AsyncConnection, prediction_id: UUID) -> frozenset[str]:
    """Return the names of the models whose maps are kept."""
    query = select(HeatMapRow.model).where(HeatMapRow.prediction_id == prediction_id)
    return frozenset(await connection.scalars(query))


async def add(connection: AsyncConnection, prediction_id: UUID, found: HeatMap) -> bool:
    """Keep ``found``; False where another that was made at once, the same, is kept already."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
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
    return (await connection.execute(statement)).rowcount > 0


async def remove(connection: AsyncConnection, prediction_id: UUID) -> None:
    """Remove every map of a prediction."""
    await connection.execute(delete(HeatMapRow).where(HeatMapRow.prediction_id == prediction_id))
