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


async def stored(id: PredictionId, actor: Acting, predictions: PredictionsDep) -> Prediction:
    prediction = await predictions.get(actor, id)
    if prediction is None:
        raise no_such_prediction()
    return prediction


PredictionDep = Annotated[Prediction, Depends(stored)]
"""The prediction that the path names; 404 where it was never made, or is not theirs to see."""


async def made(
    request: Request,
    actor: Acting,
    predictions: PredictionsDep,
    key: IdempotencyKey,
    data: FileBody,
) -> Prediction:
    """Receive, analyse, store: what page and API have in common."""
    prediction = await predictions.predict(actor, data, key=key)
    request.scope["osteoserve.prediction"] = prediction.id
    return prediction


NewPredictionDep = Annotated[Prediction, Depends(made)]
"""The prediction on the image that the request sends."""
