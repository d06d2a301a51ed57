"""``/api/v1/predictions/{id}/maps/{model}``: where a model looked, as a picture or as numbers."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.responses import JSONResponse

from service.http.caching import NO_STORE
from service.http.negotiation import weighed
from service.http.openapi import FILE
from service.http.problems import Problem, problems
from service.identity.dependencies import Acting
from service.predictions.dependencies import PredictionDep
from service.predictions.heat_maps.dependencies import ExplainerDep
from service.predictions.heat_maps.schemas import EXAMPLE, HeatMap
from service.types import BASES, BaseName

router = APIRouter(prefix="/api/v1/predictions/{id}/maps", tags=["predictions"])

_ASKED: Final = {**NO_STORE, "Vary": "Accept"}


def model_name(
    model: Annotated[str, Path(json_schema_extra={"enum": list(BASES)})],
) -> BaseName:
    for name in BASES:
        if name == model:
            return name
    raise Problem("not_found", f"There is no such model; {', '.join(BASES)} are.")


@router.get(
    "/{model}",
    summary="Where a model found evidence",
    response_class=Response,
    responses={
        200: {
            "description": "224×224 PNG to lay over the image, or with `Accept: application/json` "
            "the model's own grid of numbers. Made when first asked for, by the version that "
            "voted; then kept.",
            "content": {
                "image/png": {"schema": FILE},
                "application/json": {
                    "schema": {"$ref": "#/components/schemas/HeatMap"},
                    "example": EXAMPLE,
                },
            },
            "model": HeatMap,
        },
        **problems(404, 409, 500, 503),
    },
)
async def read(
    request: Request,
    prediction: PredictionDep,
    model: Annotated[BaseName, Depends(model_name)],
    actor: Acting,
    explainer: ExplainerDep,
) -> Response:
    found = await explainer.heat_map(actor, prediction, model)
    if wants_numbers(request.headers.get("accept", "")):
        return JSONResponse(found.model_dump(mode="json"), headers=_ASKED)
    return Response(found.png(), media_type="image/png", headers=_ASKED)


def wants_numbers(accept: str) -> bool:
    """JSON for who names JSON, and would not rather have a picture as a browser's ``<img>``."""
    wanted = weighed(accept)
    pictures = (weight for kind, weight in wanted.items() if kind.startswith("image/"))
    return wanted.get("application/json", 0.0) > max(pictures, default=0.0)
