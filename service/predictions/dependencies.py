"""FastAPI dependencies of predictions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from service.exams.form import BESIDE_A_FILE, parse
from service.http.dependencies import resource
from service.http.idempotency_key import IdempotencyKey
from service.http.upload import Upload, upload_body
from service.identity.actor import Actor
from service.identity.dependencies import Acting
from service.predictions.schemas import Prediction
from service.predictions.service import Predictions
from service.predictions.settings import KeepingSettings
from service.results import PredictionId, no_such_prediction

PredictionsDep = Annotated[Predictions, Depends(resource(Predictions))]


async def prediction(id: PredictionId, actor: Acting, predictions: PredictionsDep) -> Prediction:
    found = await predictions.get(actor, id)
    if found is None:
        raise no_such_prediction()
    return found


PredictionDep = Annotated[Prediction, Depends(prediction)]
"""The prediction that the path names; 404 where it was never made, or is not theirs to see."""


UploadDep = Annotated[Upload, Depends(upload_body(BESIDE_A_FILE))]
"""The image that the request sends, and facts of its exam as text."""


KeepingDep = Annotated[KeepingSettings, Depends(resource(KeepingSettings))]


@dataclass(frozen=True)
class Sender:
    """Analyses and stores: what page and API have in common."""

    request: Request
    actor: Actor
    predictions: Predictions
    key: str | None

    async def send(self, upload: Upload) -> Prediction:
        """Return the prediction on ``upload``.

        Raises :class:`~service.exams.schemas.ExamError`, or as
        :meth:`~service.predictions.service.Predictions.predict` does.
        """
        made = await self.predictions.predict(
            self.actor,
            upload.data,
            key=self.key,
            name=upload.name,
            facts=parse(upload.fields),
        )
        self.request.scope["osteoserve.prediction"] = made.id
        return made


async def sender(
    request: Request,
    actor: Acting,
    predictions: PredictionsDep,
    key: IdempotencyKey,
) -> Sender:
    return Sender(request, actor, predictions, key)


SenderDep = Annotated[Sender, Depends(sender)]


async def new_prediction(sender: SenderDep, upload: UploadDep) -> Prediction:
    return await sender.send(upload)


NewPredictionDep = Annotated[Prediction, Depends(new_prediction)]
"""The prediction on the image that the request sends."""
