"""FastAPI dependencies of predictions."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from service.http.dependencies import resource
from service.http.idempotency_key import IdempotencyKey
from service.http.upload import FileBody
from service.identity.dependencies import Acting
from service.predictions.schemas import Prediction
from service.predictions.service import Predictions
from service.results import PredictionId, no_such_prediction

PredictionsDep = Annotated[Predictions, Depends(resource(Predictions))]


async def prediction(id: PredictionId, actor: Acting, predictions: PredictionsDep) -> Prediction:
    found = await predictions.get(actor, id)
    if found is None:
        raise no_such_prediction()
    return found


PredictionDep = Annotated[Prediction, Depends(prediction)]
"""The prediction that the path names; 404 where it was never made, or is not theirs to see."""


async def new_prediction(
    request: Request,
    actor: Acting,
    predictions: PredictionsDep,
    key: IdempotencyKey,
    data: FileBody,
) -> Prediction:
    """Receive, analyse, store: what page and API have in common."""
    made = await predictions.predict(actor, data, key=key)
    request.scope["osteoserve.prediction"] = made.id
    return made


NewPredictionDep = Annotated[Prediction, Depends(new_prediction)]
"""The prediction on the image that the request sends."""
