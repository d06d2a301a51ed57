"""What the lifespan opens and every endpoint may use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, cast
from uuid import UUID

from fastapi import Depends, Path
from starlette.requests import HTTPConnection, Request

from service.analysis import Analyser
from service.health import Health
from service.metrics import Metrics
from service.pages import Pages
from service.prediction import Prediction
from service.problems import Problem
from service.settings import Settings
from service.storage import Predictions
from service.uploads import receive


@dataclass(frozen=True)
class State:
    settings: Settings
    metrics: Metrics
    pages: Pages
    analyser: Analyser
    predictions: Predictions
    health: Health


def state(connection: HTTPConnection) -> State:
    return cast("State", connection.state.osteoserve)


Opened = Annotated[State, Depends(state)]


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


async def predict(request: Request, state: State) -> Prediction:
    """Receive, analyse, store: what page and API have in common."""
    settings = state.settings
    data = await receive(request, settings.max_upload_bytes, settings.upload_seconds)
    prediction, png = await state.analyser.analyse(data)
    await state.predictions.add(prediction, png)
    state.metrics.prediction(prediction.outcome, prediction.degraded)
    request.scope["osteoserve.prediction"] = prediction.id
    return prediction
