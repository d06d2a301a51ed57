"""``/api/v1/predictions``: the contract of the service."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Response

from service.errors import ServiceError
from service.exams.dependencies import ExamsDep
from service.http.caching import NO_STORE
from service.http.openapi import FILE
from service.http.problems import problems
from service.identity.dependencies import Acting
from service.language.locale import N_
from service.predictions.answers import ANSWER_EXAMPLE, PredictionAnswer, answer
from service.predictions.dependencies import NewPredictionDep, PredictionDep, PredictionsDep
from service.results import PredictionId, no_such_prediction

router = APIRouter(prefix="/api/v1/predictions", tags=["predictions"])

_EXAMPLE: Final[dict[str, Any]] = {"content": {"application/json": {"example": ANSWER_EXAMPLE}}}


@router.post(
    "",
    status_code=201,
    summary="Judge one image",
    response_model=PredictionAnswer,
    responses={
        201: {
            "description": "Judged, or refused as not usable (outcome refused); stored either way.",
            "headers": {
                "Location": {
                    "description": "Where the same object can be read again.",
                    "schema": {"type": "string"},
                }
            },
            **_EXAMPLE,
        },
        **problems(400, 403, 408, 413, 415, 422, 500, 503, 507),
    },
)
async def create(
    prediction: NewPredictionDep, response: Response, actor: Acting, exams: ExamsDep
) -> PredictionAnswer:
    """Send one AP lumbar spine DXA image, as form field `file` or as the raw body.

    Research use only: not a diagnosis, not for rule-out, does not replace the DXA T-score.
    """
    response.headers["Location"] = f"{router.prefix}/{prediction.id}"
    response.headers.update(NO_STORE)
    return await answer(actor, prediction, exams)


@router.get(
    "/{id}",
    summary="Read a prediction again",
    response_model=PredictionAnswer,
    responses={
        200: {
            "description": "The object as it was first answered, with its last review and what "
            "contradicts it by now.",
            **_EXAMPLE,
        },
        **problems(404, 500, 503),
    },
)
async def read(
    prediction: PredictionDep, response: Response, actor: Acting, exams: ExamsDep
) -> PredictionAnswer:
    response.headers.update(NO_STORE)
    return await answer(actor, prediction, exams)


@router.get(
    "/{id}/image",
    summary="The image as the models saw it",
    response_class=Response,
    responses={
        200: {
            "description": "224×224 greyscale PNG, made by the recipe that the prediction names.",
            "content": {"image/png": {"schema": FILE}},
        },
        **problems(404, 500, 503),
    },
)
async def image(id: PredictionId, actor: Acting, predictions: PredictionsDep) -> Response:
    png = await predictions.image(actor, id)
    if png is None:
        if await predictions.placed(actor, id) is not None:
            raise ServiceError("image_gone", N_("The image is no longer kept."))
        raise no_such_prediction()
    return Response(png, media_type="image/png", headers=NO_STORE)


@router.get(
    "/{id}/sent-image",
    summary="The image as it was sent",
    response_class=Response,
    responses={
        200: {
            "description": "8-bit greyscale PNG of the pixels, without anything that stood in a "
            "header; large ones have fewer pixels. 404 where it is not kept: by "
            "`OSTEOSERVE_KEEP_IMAGES`, or since it was refused as a page or a photograph.",
            "content": {"image/png": {"schema": FILE}},
        },
        **problems(404, 500, 503),
    },
)
async def sent_image(
    prediction: PredictionDep, actor: Acting, predictions: PredictionsDep
) -> Response:
    found = await predictions.sent(actor, prediction.id)
    if found is None:
        raise ServiceError("not_found", N_("This image is not kept as it was sent."))
    return Response(found.png, media_type="image/png", headers=NO_STORE)
