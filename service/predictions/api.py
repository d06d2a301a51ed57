"""``/api/v1/predictions``: the contract of the service."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Response

from service.http.caching import NO_STORE
from service.http.idempotency_key import HEADER, LONGEST
from service.http.problems import problems
from service.http.upload import FIELD, RAW_TYPES
from service.predictions.dependencies import Made, PredictionsDep, Stored
from service.predictions.schemas import EXAMPLE, Prediction
from service.results import PredictionId, no_such_prediction

router = APIRouter(prefix="/api/v1/predictions", tags=["predictions"])

_FILE: Final[dict[str, Any]] = {"type": "string", "format": "binary"}
_FORM: Final[dict[str, Any]] = {
    "schema": {
        "type": "object",
        "required": [FIELD],
        "properties": {FIELD: {**_FILE, "description": "One PNG, JPEG, TIFF or DICOM file."}},
    }
}
_BODY: Final[dict[str, Any]] = {
    "required": True,
    "content": {
        "multipart/form-data": _FORM,
        **{name: {"schema": _FILE} for name in RAW_TYPES if name},
    },
}
_KEY: Final[dict[str, Any]] = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "A name for this request, a random UUID for example. Sent again under the same "
    "name, the same file is answered with the prediction that it made the first time.",
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST, "pattern": "^[!-~]+$"},
}
_EXAMPLE: Final[dict[str, Any]] = {"content": {"application/json": {"example": EXAMPLE}}}


@router.post(
    "",
    status_code=201,
    summary="Judge one image",
    response_model=Prediction,
    openapi_extra={"requestBody": _BODY, "parameters": [_KEY]},
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
async def create(prediction: Made, response: Response) -> Prediction:
    """Send one AP lumbar spine DXA image, as form field `file` or as the raw body.

    Research use only: not a diagnosis, not for rule-out, does not replace the DXA T-score.
    """
    response.headers["Location"] = f"{router.prefix}/{prediction.id}"
    response.headers.update(NO_STORE)
    return prediction


@router.get(
    "/{id}",
    summary="Read a prediction again",
    response_model=Prediction,
    responses={
        200: {"description": "The object as it was first answered.", **_EXAMPLE},
        **problems(404, 500, 503),
    },
)
async def read(prediction: Stored, response: Response) -> Prediction:
    response.headers.update(NO_STORE)
    return prediction


@router.get(
    "/{id}/image",
    summary="The image as the models saw it",
    response_class=Response,
    responses={
        200: {
            "description": "224×224 greyscale PNG, made by the recipe that the prediction names.",
            "content": {"image/png": {"schema": _FILE}},
        },
        **problems(404, 500, 503),
    },
)
async def image(id: PredictionId, predictions: PredictionsDep) -> Response:
    png = await predictions.image(id)
    if png is None:
        raise no_such_prediction()
    return Response(png, media_type="image/png", headers=NO_STORE)
