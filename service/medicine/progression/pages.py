"""One patient's studies over time. The reference comes by POST alone; addresses hold the key."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from starlette.responses import RedirectResponse

from service.exams.schemas import ExamError, reference
from service.http.body import FormBody
from service.http.caching import NO_STORE
from service.http.dependencies import resource
from service.http.ids import path_id
from service.http.problems import Problem
from service.identity.dependencies import Acting
from service.medicine.progression.change import course
from service.medicine.progression.contexts import PatientPage
from service.medicine.progression.settings import PrecisionSettings
from service.patients.dependencies import PatientsDep
from service.predictions.dependencies import PredictionsDep
from service.web.dependencies import TemplatesDep

pages = APIRouter(include_in_schema=False)

PrecisionDep = Annotated[PrecisionSettings, Depends(resource(PrecisionSettings))]


def no_such_patient() -> Problem:
    return Problem("patient_not_found", "No study that is kept here has this patient.")


PatientKey = Annotated[UUID, Depends(path_id(no_such_patient, "key"))]


@pages.post("/patients")
async def search(actor: Acting, patients: PatientsDep, sent: FormBody) -> Response:
    try:
        key = await patients.find(actor, reference(sent.get("patient_reference", "")))
    except ExamError as error:
        raise Problem("invalid_request", str(error)) from None
    if key is None:
        raise no_such_patient()
    return RedirectResponse(f"/patients/{key}", 303)


@pages.get("/patients/{key}")
async def patient(
    request: Request,
    key: PatientKey,
    actor: Acting,
    predictions: PredictionsDep,
    settings: PrecisionDep,
    templates: TemplatesDep,
) -> Response:
    found = await predictions.timeline(actor, key)
    if found is None:
        raise no_such_patient()
    precision = settings.precision
    points = course([exam for exam, _ in found.exams], precision)
    page = PatientPage.of(found, points, precision)
    return templates.respond(request, page, headers=NO_STORE)


def install(app: FastAPI) -> None:
    app.include_router(pages)
