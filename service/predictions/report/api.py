"""The one-page PDF of a result, under the API's address and under the page's."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Response

from service.exams.dependencies import ExamsDep
from service.http.caching import NO_STORE
from service.http.problems import problems
from service.identity.dependencies import Acting
from service.language.locale import current
from service.medicine.modalities.dependencies import ModalitySettingsDep
from service.medicine.morphometry.dependencies import MorphometryDep
from service.predictions.dependencies import PredictionDep, PredictionsDep
from service.predictions.heat_maps.dependencies import ExplainerDep
from service.predictions.report.sheets import Sheets
from service.reviews.dependencies import ReviewsDep

router = APIRouter(prefix="/api/v1/predictions/{id}", tags=["predictions"])
pages = APIRouter(prefix="/results/{id}", include_in_schema=False)

_PDF: Final[dict[str, Any]] = {"schema": {"type": "string", "format": "binary"}}


@pages.get("/report.pdf")
@router.get(
    "/report.pdf",
    summary="The result on one sheet",
    response_class=Response,
    responses={
        200: {
            "description": "One A4 page with all that the result's page shows, in the language "
            "that `Accept-Language` asks for.",
            "content": {"application/pdf": _PDF},
        },
        **problems(404, 500, 503),
    },
)
async def read(
    prediction: PredictionDep,
    actor: Acting,
    predictions: PredictionsDep,
    reviews: ReviewsDep,
    exams: ExamsDep,
    explainer: ExplainerDep,
    limits: ModalitySettingsDep,
    morphometry: MorphometryDep,
) -> Response:
    """Heat maps that cannot be had at the moment, or failed their check, are not on the sheet."""
    sheets = Sheets(predictions, reviews, exams, explainer, limits, morphometry)
    pdf = await sheets.pdf(actor, prediction)
    headers = {
        **NO_STORE,
        # Nothing of the patient, and not the id: files get sent around.
        "Content-Disposition": 'inline; filename="osteoserve-report.pdf"',
        "Content-Language": current().code,
        "Vary": "Accept-Language, Cookie",
    }
    return Response(pdf, media_type="application/pdf", headers=headers)
