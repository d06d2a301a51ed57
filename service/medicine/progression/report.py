"""The PDF of a patient's studies over time, under the API's address and under the page's."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, Final

import anyio.to_thread
from fastapi import APIRouter, Response

from service.http.caching import NO_STORE
from service.http.problems import problems
from service.identity.dependencies import Acting
from service.language.locale import current
from service.medicine.progression.change import course
from service.medicine.progression.contexts import PatientPage
from service.medicine.progression.dependencies import PatientKey, PrecisionDep, no_such_patient
from service.medicine.progression.outlook import outlook
from service.medicine.progression.sheet import render
from service.predictions.dependencies import PredictionsDep

router = APIRouter(prefix="/api/v1/patients/{key}", tags=["studies"])
pages = APIRouter(prefix="/patients/{key}", include_in_schema=False)

_PDF: Final[dict[str, Any]] = {"schema": {"type": "string", "format": "binary"}}


@pages.get("/report.pdf")
@router.get(
    "/report.pdf",
    summary="A patient's studies over time on paper",
    response_class=Response,
    responses={
        200: {
            "description": "All that the patient's page tells in words, in the language that "
            "`Accept-Language` asks for.",
            "content": {"application/pdf": _PDF},
        },
        **problems(404, 500, 503),
    },
)
async def read(
    key: PatientKey, actor: Acting, predictions: PredictionsDep, settings: PrecisionDep
) -> Response:
    """Changes, rate, response, forecast, and what else was measured. Research use only."""
    found = await predictions.timeline(actor, key)
    if found is None:
        raise no_such_patient()
    precision = settings.precision
    exams = [exam for exam, _ in found.exams]
    told = await asyncio.to_thread(outlook, exams, precision)
    page = PatientPage.of(found, course(exams, precision), precision, told)
    pdf = await anyio.to_thread.run_sync(partial(render, page))
    headers = {
        **NO_STORE,
        # Nothing of the patient: files get sent around.
        "Content-Disposition": 'inline; filename="osteoserve-course.pdf"',
        "Content-Language": current().code,
        "Vary": "Accept-Language, Cookie",
    }
    return Response(pdf, media_type="application/pdf", headers=headers)
