"""The one-page PDF of a result, under the API's address and under the page's."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import anyio.to_thread
from fastapi import APIRouter, Response

from service.http.caching import NO_STORE
from service.http.problems import problems
from service.identity.actor import Actor
from service.language.locale import current
from service.predictions.contexts import ResultPage
from service.predictions.report import render
from service.predictions.schemas import Prediction
from service.state import Acting, Opened, State, Stored, no_such_prediction

router = APIRouter(prefix="/api/v1/predictions/{id}", tags=["predictions"])
pages = APIRouter(prefix="/results/{id}", include_in_schema=False)

_PDF: Final[dict[str, Any]] = {"schema": {"type": "string", "format": "binary"}}


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
async def read(prediction: Stored, actor: Acting, state: Opened) -> Response:
    """Heat maps that cannot be had at the moment are named as missing on the sheet."""
    return await _sheet(prediction, actor, state)


@pages.get("/report.pdf")
async def page(prediction: Stored, actor: Acting, state: Opened) -> Response:
    return await _sheet(prediction, actor, state)


async def _sheet(prediction: Prediction, actor: Actor, state: State) -> Response:
    scan = await state.predictions.image(prediction.id)
    if scan is None:
        raise no_such_prediction()
    shown = ResultPage.of(
        prediction,
        reviews=await state.reviews.of(prediction.id),
        exam=await state.exams.get(prediction.id),
    )
    maps = await state.explainer.heat_maps(actor, prediction)
    pdf = await anyio.to_thread.run_sync(partial(render, prediction, shown, scan, maps))
    headers = {
        **NO_STORE,
        # Nothing of the patient, and not the id: files get sent around.
        "Content-Disposition": 'inline; filename="osteoserve-report.pdf"',
        "Content-Language": current().code,
        "Vary": "Accept-Language, Cookie",
    }
    return Response(pdf, media_type="application/pdf", headers=headers)
