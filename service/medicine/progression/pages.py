"""One patient's studies over time. The reference comes by POST alone; addresses hold the key."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from service.exams.schemas import ExamError, reference
from service.http.body import FormBody
from service.http.caching import NO_STORE
from service.http.problems import Problem
from service.identity.dependencies import Acting
from service.medicine.progression.change import course
from service.medicine.progression.contexts import PatientPage
from service.medicine.progression.dependencies import PatientKey, PrecisionDep, no_such_patient
from service.medicine.progression.outlook import outlook
from service.patients.dependencies import PatientsDep
from service.predictions.dependencies import PredictionsDep
from service.web.dependencies import TemplatesDep

pages = APIRouter(include_in_schema=False)


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
    exams = [exam for exam, _ in found.exams]
    points = course(exams, precision)
    told = await asyncio.to_thread(outlook, exams, precision)
    page = PatientPage.of(found, points, precision, told)
    return templates.respond(request, page, headers=NO_STORE)
