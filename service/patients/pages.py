"""One patient's studies over time. The reference comes by POST alone; addresses hold the key."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response
from starlette.responses import RedirectResponse

from service.exams.schemas import ExamError, reference
from service.http.body import form_fields
from service.http.caching import NO_STORE
from service.http.problems import Problem
from service.medicine.progression.change import course
from service.patients.contexts import PatientPage
from service.state import Acting, Opened

pages = APIRouter(include_in_schema=False)


def patient_key(key: Annotated[str, Path()]) -> UUID:
    try:
        return UUID(key)
    except ValueError:
        raise _no_such_patient() from None


@pages.post("/patients")
async def search(request: Request, actor: Acting, state: Opened) -> Response:
    sent = (await form_fields(request)).get("patient_reference", "")
    try:
        key = await state.patients.find(actor, reference(sent))
    except ExamError as error:
        raise Problem("invalid_request", str(error)) from None
    if key is None:
        raise _no_such_patient()
    return RedirectResponse(f"/patients/{key}", 303)


@pages.get("/patients/{key}")
async def patient(
    request: Request, key: Annotated[UUID, Depends(patient_key)], state: Opened
) -> Response:
    found = await state.predictions.timeline(key)
    if found is None:
        raise _no_such_patient()
    precision = state.settings.precision
    points = course([exam for exam, _ in found.exams], precision)
    page = PatientPage.of(found, points, precision)
    return state.pages.respond(request, page, headers=NO_STORE)


def _no_such_patient() -> Problem:
    return Problem("patient_not_found", "No study that is kept here has this patient.")
