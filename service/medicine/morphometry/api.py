"""``/api/v1/morphometry`` and ``/results/{id}/heights``: one formula, for programs and readers.

Points are neither stored nor logged, and never part of an address: only POST takes them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response

from models.vertebrae.morphometry import Graded
from service.errors import Fault
from service.http.body import FormBody, json_body
from service.http.caching import NO_STORE
from service.http.problem_types import KINDS
from service.http.problems import problems
from service.identity.actor import Actor
from service.identity.dependencies import Acting
from service.medicine.morphometry.contexts import HeightsPage
from service.medicine.morphometry.form import parse, proposed
from service.medicine.morphometry.schemas import (
    EXAMPLE,
    MorphometryAnswer,
    Points,
    PointsError,
    example,
    read,
)
from service.predictions.dependencies import PredictionDep, PredictionsDep
from service.predictions.schemas import Prediction
from service.predictions.service import Predictions
from service.predictions.viewer import View
from service.web.dependencies import TemplatesDep

api = APIRouter(prefix="/api/v1/morphometry", tags=["considerations"])
pages = APIRouter(prefix="/results/{id}/heights", include_in_schema=False)

PointsBody = Annotated[Points, Depends(json_body(Points, read, EXAMPLE))]


@api.post(
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


@pages.get("")
async def form(
    request: Request,
    prediction: PredictionDep,
    actor: Acting,
    predictions: PredictionsDep,
    templates: TemplatesDep,
    propose: Annotated[bool, Query()] = False,
) -> Response:
    """``propose`` fills the form with points that are proposed for the image."""
    view = await _view(predictions, actor, prediction)
    sent = await predictions.sent(actor, prediction.id) if propose else None
    points = {} if sent is None else await asyncio.to_thread(proposed, sent)
    page = _page(prediction, view, points, proposed=propose)
    return templates.respond(request, page, headers=NO_STORE)


@pages.post("")
async def answer(
    request: Request,
    prediction: PredictionDep,
    actor: Acting,
    predictions: PredictionsDep,
    templates: TemplatesDep,
    sent: FormBody,
) -> Response:
    view = await _view(predictions, actor, prediction)
    try:
        found = parse(sent).graded()
    except PointsError as error:
        faults = {fault.field: fault for fault in error.faults}
        page, status = _page(prediction, view, sent, faults), KINDS["invalid_points"].status
    else:
        page, status = _page(prediction, view, sent, found=found), 200
    return templates.respond(request, page, status, NO_STORE)


def install(app: FastAPI) -> None:
    app.include_router(api)
    app.include_router(pages)


async def _view(predictions: Predictions, actor: Actor, prediction: Prediction) -> View | None:
    """Return the image as it was sent, in whose pixels points are; None where it is not kept."""
    sent = (await predictions.sent_places(actor, [prediction.id])).get(prediction.id)
    return None if sent is None else View.of(prediction, sent)


def _page(
    prediction: Prediction,
    view: View | None,
    sent: Mapping[str, str],
    faults: Mapping[str, Fault] | None = None,
    found: tuple[Graded, ...] = (),
    *,
    proposed: bool = False,
) -> HeightsPage:
    address = f"/results/{prediction.id}"
    return HeightsPage.of(address, view, sent, faults or {}, found, proposed=proposed)
