"""Rows to test with: predictions as the front would have kept them, and the verbs on a database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

from service.batches.service import Batches
from service.events import Listeners
from service.exams.service import Exams
from service.flow.priority import Priority
from service.identity.actor import Actor, Within
from service.medicine.modalities.service import Modalities
from service.medicine.morphometry.service import Morphometry
from service.patients.service import Patients
from service.predictions.heat_maps import repository as heat_maps
from service.predictions.heat_maps.schemas import HeatMap
from service.predictions.schemas import EXAMPLE, Prediction
from service.predictions.service import Predictions
from service.predictions.worklist.service import WorklistReading
from service.reviews.service import Reviews
from service.storage.database import Database
from service.storage.transaction import Transactions
from service.types import BaseName
from service.worklist.service import Worklist

ANYONE = Actor.anonymous()
START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Verbs:
    predictions: Predictions
    reviews: Reviews
    exams: Exams
    patients: Patients
    batches: Batches
    worklist: Worklist
    modalities: Modalities
    morphometry: Morphometry
    listed: WorklistReading


def verbs(database: Database, listeners: Listeners | None = None) -> Verbs:
    """Every subject's service on ``database``; nothing can be judged by it."""

    async def analyse(_: bytes, __: Within, ___: Priority) -> tuple[Prediction, bytes, None]:
        raise AssertionError("no image is judged here")

    transactions = Transactions(database, listeners)
    return Verbs(
        predictions=Predictions(transactions, analyse),
        reviews=Reviews(transactions),
        exams=Exams(transactions),
        patients=Patients(transactions),
        batches=Batches(transactions),
        worklist=Worklist(transactions),
        modalities=Modalities(transactions),
        morphometry=Morphometry(transactions),
        listed=WorklistReading(transactions),
    )


def made(number: int, **changes: Any) -> Prediction:
    """The example, ``number`` hours into the year, on an image of its own."""
    id = uuid4()
    return Prediction.model_validate(
        {
            **EXAMPLE,
            "id": id,
            "created_at": START + timedelta(hours=number),
            "image": {**EXAMPLE["image"], "sha256": sha256(id.bytes).hexdigest()},
            **changes,
        }
    )


async def keep(database: Database, *predictions: Prediction, png: bytes = b"x") -> None:
    for one in predictions:
        await verbs(database).predictions.keep(ANYONE, one, png)


async def keep_map(database: Database, prediction_id: UUID, found: HeatMap) -> None:
    await database.write(lambda connection: heat_maps.add(connection, prediction_id, found))


async def kept_map(database: Database, prediction_id: UUID, model: BaseName) -> HeatMap | None:
    async with database.connect() as connection:
        return await heat_maps.get(connection, prediction_id, model)


async def kept_maps(database: Database, prediction_id: UUID) -> frozenset[str]:
    async with database.connect() as connection:
        return await heat_maps.kept(connection, prediction_id)


REFUSED = {
    "outcome": "refused", "probability": None, "threshold": None, "band": None, "models": {},
    "version": None, "vertebrae": None,
    "quality": {"accepted": False, "reasons": ["lateral_view"], "findings": []},
}  # fmt: skip
"""What is said of a lateral image, as changes of the example."""
