"""What the lifespan opens and every endpoint may use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, cast
from uuid import UUID

from fastapi import Depends, Path
from starlette.requests import HTTPConnection, Request

from service.batches.service import Batches
from service.batches.worker import Bulk
from service.exams.service import Exams
from service.http import idempotency_key as idempotency
from service.http.problems import Problem
from service.http.upload import receive
from service.identity.actor import Actor
from service.metrics import Metrics
from service.operations.health import Health
from service.patients.service import Patients
from service.predictions.heat_maps.service import Explainer
from service.predictions.schemas import Prediction
from service.predictions.service import Predictions
from service.reviews.service import Reviews
from service.settings import Settings
from service.web.page import Pages


@dataclass(frozen=True)
class State:
    settings: Settings
    metrics: Metrics
    pages: Pages
    predictions: Predictions
    reviews: Reviews
    exams: Exams
    patients: Patients
    batches: Batches
    bulk: Bulk
    explainer: Explainer
    health: Health


def state(connection: HTTPConnection) -> State:
    return cast("State", connection.state.osteoserve)


Opened = Annotated[State, Depends(state)]


def acting() -> Actor:
    return Actor.anonymous()


Acting = Annotated[Actor, Depends(acting)]
"""Who sent the request."""


def prediction_id(
    id: Annotated[str, Path(json_schema_extra={"format": "uuid"})],
) -> UUID:
    """No id of ours has another form, so another form is not found rather than invalid."""
    try:
        return UUID(id)
    except ValueError:
        raise no_such_prediction() from None


PredictionId = Annotated[UUID, Depends(prediction_id)]


def no_such_prediction() -> Problem:
    return Problem("prediction_not_found", "There is no result with this id.")


async def stored(id: PredictionId, state: Opened) -> Prediction:
    prediction = await state.predictions.get(id)
    if prediction is None:
        raise no_such_prediction()
    return prediction


Stored = Annotated[Prediction, Depends(stored)]
"""The prediction that the path names; one that was never made is a 404."""


async def predict(request: Request, actor: Actor, state: State) -> Prediction:
    """Receive, analyse, store: what page and API have in common."""
    settings = state.settings
    named = request.headers.get(idempotency.HEADER)
    key = None if named is None else idempotency.hashed(named)
    data = await receive(request, settings.max_upload_bytes, settings.upload_seconds)
    prediction = await state.predictions.predict(actor, data, key=key)
    request.scope["osteoserve.prediction"] = prediction.id
    return prediction
