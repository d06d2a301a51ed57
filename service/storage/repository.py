"""Predictions in and out. Speaks in value objects; knows SQL, no HTTP."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import insert, select

from service.prediction import Prediction
from service.storage.database import Database
from service.storage.documents import complete
from service.storage.models import CanonicalRow, PredictionRow


class Predictions:
    """Every method raises :class:`~service.storage.errors.StorageUnavailableError` when it must."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, prediction: Prediction, png: bytes) -> None:
        async with self._database.begin() as connection:
            await connection.execute(
                insert(PredictionRow).values(
                    id=prediction.id,
                    created_at=prediction.created_at,
                    outcome=prediction.outcome,
                    image_sha256=prediction.image.sha256,
                    version=prediction.version,
                    degraded=prediction.degraded,
                    probability=prediction.probability,
                    # What clinicians say later has a table of its own.
                    document=prediction.model_dump(mode="json", exclude={"review"}),
                )
            )
            await connection.execute(
                insert(CanonicalRow).values(prediction_id=prediction.id, png=png)
            )

    async def get(self, prediction_id: UUID) -> Prediction | None:
        query = select(PredictionRow.document).where(PredictionRow.id == prediction_id)
        async with self._database.connect() as connection:
            document = await connection.scalar(query)
            (found,) = await complete(connection, [document])
        return found

    async def image(self, prediction_id: UUID) -> bytes | None:
        query = select(CanonicalRow.png).where(CanonicalRow.prediction_id == prediction_id)
        async with self._database.connect() as connection:
            return await connection.scalar(query)
