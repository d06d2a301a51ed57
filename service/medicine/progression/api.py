"""``/api/v1/patients/{key}/progression``: what one patient's studies say of the years to come."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Response

from service.http.caching import NO_STORE
from service.http.problems import problems
from service.identity.dependencies import Acting
from service.medicine.progression.change import course
from service.medicine.progression.contexts import seen
from service.medicine.progression.dependencies import PatientKey, PrecisionDep, no_such_patient
from service.medicine.progression.outlook import outlook
from service.medicine.progression.schemas import EXAMPLE, ProgressionAnswer
from service.medicine.scoliosis.trend import trend
from service.predictions.dependencies import PredictionsDep

router = APIRouter(prefix="/api/v1/patients/{key}/progression", tags=["studies"])


@router.get(
    "",
    summary="Read a patient's changes and forecast",
    response_model=ProgressionAnswer,
    responses={
        200: {
            "description": "Changes by the least significant change; rate, forecast and response "
            "where studies can be compared.",
            "content": {"application/json": {"example": EXAMPLE}},
        },
        **problems(404, 500, 503),
    },
)
async def read(
    key: PatientKey,
    response: Response,
    actor: Acting,
    predictions: PredictionsDep,
    settings: PrecisionDep,
) -> ProgressionAnswer:
    """The key is the `patient_key` of a study. Research use only.

    Two studies of one machine and the same vertebrae give a rate, three a forecast of five years.
    """
    found = await predictions.timeline(actor, key)
    if found is None:
        raise no_such_patient()
    exams = [exam for exam, _ in found.exams]
    precision = settings.precision
    told = await asyncio.to_thread(outlook, exams, precision)
    response.headers.update(NO_STORE)
    return ProgressionAnswer.of(
        course(exams, precision), told, found.unreadable, trend(seen(found))
    )
