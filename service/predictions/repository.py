"""Predictions in and out. Speaks in value objects; knows SQL, no HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.elements import ColumnElement

from service.flow.batching import DynamicBatcher, PendingItem
from service.flow.deadline import Deadline
from service.flow.priority import Priority
from service.predictions.schemas import Prediction
from service.storage.database import RETRY_AFTER, Database
from service.storage.documents import COLUMNS, one
from service.storage.errors import ConflictError, translated
from service.storage.tables import CanonicalRow, PredictionRow

MOST: Final = 32
"""Predictions written in one transaction: those that came while the one before was written."""


@dataclass(frozen=True, eq=False)
class _New:
    prediction: Prediction
    png: bytes


class Predictions:
    """Every method raises :class:`~service.storage.errors.StorageError` when it must."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._writer: DynamicBatcher[_New, None] = DynamicBatcher(
            self._write, max_items=MOST, max_calls=1, max_deferral=0.0
        )

    async def close(self) -> None:
        await self._writer.close()

    async def add(self, prediction: Prediction, png: bytes, key: str | None = None) -> Prediction:
        """Write ``prediction`` and return it; or what another wrote under ``key`` before."""
        if key is not None:
            return await self._add_once(prediction, png, key)
        with translated(RETRY_AFTER):
            deadline = Deadline.after(self._database.longest_wait)
            await self._writer(_New(prediction, png), deadline, Priority.PERSON)
        return prediction

    async def under(self, key: str) -> Prediction | None:
        """Return the prediction that was made under an idempotency ``key``."""
        return await self._read(PredictionRow.idempotency_key == key)

    async def _add_once(self, prediction: Prediction, png: bytes, key: str) -> Prediction:
        new = _New(prediction, png)
        try:
            await self._database.write(lambda held: _insert(held, [new], idempotency_key=key))
        except ConflictError:
            # The same request, sent twice at once: the other was faster.
            earlier = await self.under(key)
            if earlier is None:
                raise
            return earlier
        return prediction

    async def _write(self, together: Sequence[PendingItem[_New, None]]) -> Sequence[None]:
        new = [waiting.item for waiting in together]
        await self._database.write(lambda connection: _insert(connection, new))
        return [None] * len(together)

    async def get(self, prediction_id: UUID) -> Prediction | None:
        return await self._read(PredictionRow.id == prediction_id)

    async def image(self, prediction_id: UUID) -> bytes | None:
        query = select(CanonicalRow.png).where(CanonicalRow.prediction_id == prediction_id)
        async with self._database.connect() as connection:
            return await connection.scalar(query)

    async def _read(self, which: ColumnElement[bool]) -> Prediction | None:
        async with self._database.connect() as connection:
            row = (await connection.execute(select(*COLUMNS).where(which))).one_or_none()
            return await one(self._database, connection, row)


async def _insert(connection: AsyncConnection, new: Sequence[_New], **more: Any) -> None:
    await connection.execute(
        insert(PredictionRow),
        [
            {
                "id": one.prediction.id,
                "created_at": one.prediction.created_at,
                "outcome": one.prediction.outcome,
                "image_sha256": one.prediction.image.sha256,
                "version": one.prediction.version,
                "degraded": one.prediction.degraded,
                "probability": one.prediction.probability,
                # What clinicians say later has a table of its own.
                "document": one.prediction.model_dump(mode="json", exclude={"review"}),
                **more,
            }
            for one in new
        ],
    )
    await connection.execute(
        insert(CanonicalRow),
        [{"prediction_id": one.prediction.id, "png": one.png} for one in new],
    )
