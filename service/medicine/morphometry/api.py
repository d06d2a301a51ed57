"""``/api/v1/morphometry``, and ``…/predictions/{id}/heights``: one formula, for programs.

Points are neither logged, nor ever part of an address. The first keeps nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from models.vertebrae.morphometry import LateralLevel
from service.http.body import json_body
from service.http.caching import NO_STORE
from service.http.preconditions import ETAG, IfMatch, tag
from service.http.problems import Problem, problems
from service.identity.actor import Actor
from service.identity.dependencies import Acting
from service.medicine.morphometry import kept as versions
from service.medicine.morphometry.dependencies import MorphometryDep
from service.medicine.morphometry.kept import HeightsAnswer, KeptPoints, version
from service.medicine.morphometry.proposals import proposed
from service.medicine.morphometry.schemas import (
    EXAMPLE,
    MorphometryAnswer,
    Points,
    Vertebra,
    example,
    read,
)
from service.predictions.dependencies import PredictionDep, PredictionsDep
from service.predictions.schemas import Prediction
from service.predictions.service import Predictions
from service.results import no_such_prediction
from service.storage.errors import ChangedError

router = APIRouter(prefix="/api/v1/morphometry", tags=["considerations"])
kept = APIRouter(prefix="/api/v1/predictions/{id}/heights", tags=["studies"])

PointsBody = Annotated[Points, Depends(json_body(Points, read, EXAMPLE))]
_ANSWER: Final[dict[str, Any]] = {
    "headers": ETAG,
    "content": {"application/json": {"example": versions.example()}},
}


@router.post(
    "",
    summary="Grade vertebrae by six points each",
    response_model=MorphometryAnswer,
    responses={
        200: {
            "description": "Heights, losses and Genant's grade of each. Nothing is stored.",
            "content": {"application/json": {"example": example()}},
        },
        **problems(400, 403, 413, 422, 500, 503),
    },
)
async def create(response: Response, points: PointsBody) -> MorphometryAnswer:
    """Send the points of a lateral image's vertebrae, each end plate from front to back.

    Research use only: a grade is that of the points, and no diagnosis.
    """
    response.headers.update(NO_STORE)
    return MorphometryAnswer.of(points.graded())


@kept.get(
    "",
    summary="Read the points that were kept of a lateral image",
    response_model=HeightsAnswer,
    responses={
        200: {"description": "Every version, with heights and grades.", **_ANSWER},
        **problems(404, 500, 503),
    },
)
async def read_kept(
    prediction: PredictionDep, response: Response, actor: Acting, morphometry: MorphometryDep
) -> HeightsAnswer:
    """The last version counts; one without vertebrae says that none do. Research use only."""
    return _answer(await morphometry.of(actor, prediction.id), prediction, response)


@kept.put(
    "",
    summary="Keep the points of a lateral image",
    response_model=HeightsAnswer,
    responses={
        200: {"description": "Every version; the last is what is kept from now on.", **_ANSWER},
        **problems(400, 403, 404, 409, 412, 413, 422, 500, 503, 507),
    },
)
async def keep(
    prediction: PredictionDep,
    response: Response,
    actor: Acting,
    predictions: PredictionsDep,
    morphometry: MorphometryDep,
    points: PointsBody,
    seen: IfMatch,
) -> HeightsAnswer:
    """Points lie within the image. A version is added: none is changed, and none removed.

    Vertebrae whose points are those that the page proposes are kept as such (`as_proposed`).
    """
    found = await proposals(predictions, actor, prediction.id)
    return await _changed(morphometry, actor, prediction, points, found, seen, response)


@kept.delete(
    "",
    summary="Remove the points of a lateral image",
    response_model=HeightsAnswer,
    responses={
        200: {"description": "Every version; the last has no vertebrae.", **_ANSWER},
        **problems(403, 404, 412, 500, 503, 507),
    },
)
async def remove(
    prediction: PredictionDep,
    response: Response,
    actor: Acting,
    morphometry: MorphometryDep,
    seen: IfMatch,
) -> HeightsAnswer:
    """A version without vertebrae is added. What was kept before stays to be read."""
    return await _changed(morphometry, actor, prediction, None, {}, seen, response)


async def proposals(
    predictions: Predictions, actor: Actor, id: UUID
) -> Mapping[LateralLevel, Vertebra]:
    """Return what is proposed for a result's image; nothing where it is not kept as it was sent."""
    sent = await predictions.sent(actor, id)
    return {} if sent is None else await asyncio.to_thread(proposed, sent)


def signed_at(prediction: Prediction) -> datetime | None:
    """Return when what stands of a result was signed; None where nothing does."""
    return None if prediction.review is None else prediction.review.created_at


async def _changed(
    morphometry: MorphometryDep,
    actor: Actor,
    prediction: Prediction,
    points: Points | None,
    found: Mapping[LateralLevel, Vertebra],
    seen: frozenset[str] | None,
    response: Response,
) -> HeightsAnswer:
    try:
        now = await morphometry.keep(actor, prediction.id, points, found, seen)
    except ChangedError as error:
        answer = HeightsAnswer.of(error.kept, signed_at(prediction))
        more = {"kept": answer.model_dump(mode="json")["versions"]}
        raise Problem(error.code, str(error), tag(version(error.kept)), more) from None
    if now is None:
        raise no_such_prediction()
    return _answer(now, prediction, response)


def _answer(
    found: tuple[KeptPoints, ...], prediction: Prediction, response: Response
) -> HeightsAnswer:
    response.headers.update({**NO_STORE, **tag(version(found))})
    return HeightsAnswer.of(found, signed_at(prediction))
