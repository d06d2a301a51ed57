"""What is known of a study beside its image: ``/api/v1/predictions/{id}/study`` and its form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import RedirectResponse

from service.exams.contexts import ExamPage
from service.exams.dependencies import ExamsDep
from service.exams.form import VERSION, ExamForm, parse
from service.exams.measurements import Measured
from service.exams.schemas import Exam, ExamError, ExamFacts, from_json
from service.exams.service import Exams
from service.http.body import FormBody, json_body
from service.http.caching import NO_STORE
from service.http.preconditions import ETAG, IfMatch, tag
from service.http.problem_types import KINDS
from service.http.problems import Problem, problems, translate
from service.identity.actor import Actor
from service.identity.dependencies import Acting
from service.language.locale import _
from service.results import PredictionId, ResultDep, no_such_prediction
from service.storage.errors import (
    ChangedError,
    StorageError,
    StorageFullError,
    StorageUnavailableError,
)
from service.web.dependencies import TemplatesDep

router = APIRouter(prefix="/api/v1/predictions/{id}/study", tags=["studies"])
pages = APIRouter(include_in_schema=False)


_FACTS: Final[dict[str, Any]] = {
    "patient_reference": "study-17-0042",
    "acquired_on": "2025-11-03",
    "scanner": {"vendor": "Hologic", "serial": "DX-0417"},
    "bmd_g_cm2": 0.873,
    "vertebrae": ["L1", "L2", "L3", "L4"],
    "t_score": -1.8,
    "z_score": -0.4,
    "regions": {
        "L1": {"bmd_g_cm2": 0.812, "t_score": -2.1, "z_score": -0.7},
        "total_hip": {"side": "left", "t_score": -1.6},
    },
    "sex": "female",
    "age_years": 67,
    "weight_kg": 64.5,
    "drug": "alendronate",
    "drug_since": "2023-05-02",
    "fracture": False,
}
_EXAMPLE: Final[dict[str, Any]] = {
    **_FACTS,
    "prediction_id": "7f9c24e8-3b12-4c5d-9a77-2f1e0d6b8c43",
    "patient_key": "0b8c6a54-7a0e-4f0e-8f43-7f3f5d2f9f11",
}
_ANSWER: Final[dict[str, Any]] = {
    "content": {"application/json": {"example": _EXAMPLE}},
    "headers": ETAG,
}


def _facts(sent: Mapping[str, Any]) -> ExamFacts:
    try:
        return from_json(sent)
    except ExamError as error:
        # As v1 has them, beside the faults of every body.
        errors = [{"field": fault.field, **fault.values} for fault in error.faults]
        problem = translate(error)
        more = {**problem.more, "errors": errors}
        raise Problem(problem.code, problem.detail, more=more) from None


FactsBody = Annotated[ExamFacts, Depends(json_body(ExamFacts, _facts, _FACTS))]


@router.get(
    "",
    summary="Read the study facts",
    response_model=Exam,
    responses={
        200: {"description": "What was entered; null where nothing was.", **_ANSWER},
        **problems(404, 500, 503),
    },
)
async def read(id: PredictionId, response: Response, actor: Acting, exams: ExamsDep) -> Exam:
    exam = await exams.get(actor, id)
    if exam is None:
        raise no_such_prediction()
    response.headers.update({**NO_STORE, **tag(exam.version)})
    return exam


@router.put(
    "",
    summary="Replace the study facts",
    response_model=Exam,
    responses={
        200: {"description": "What is kept from now on.", **_ANSWER},
        **problems(400, 403, 404, 412, 413, 422, 500, 503, 507),
    },
)
async def replace(
    id: PredictionId,
    response: Response,
    actor: Acting,
    exams: ExamsDep,
    facts: FactsBody,
    seen: IfMatch,
) -> Exam:
    """Every field may be left out; one left out is forgotten. No T-score is computed from a BMD."""
    try:
        exam = await exams.change(actor, id, facts, seen)
    except ChangedError as error:
        more = {"kept": error.kept.model_dump(mode="json")}
        raise Problem(error.code, str(error), tag(error.kept.version), more) from None
    if exam is None:
        raise no_such_prediction()
    response.headers.update({**NO_STORE, **tag(exam.version)})
    return exam


@pages.get("/results/{id}/study")
async def form(
    request: Request,
    result: ResultDep,
    actor: Acting,
    exams: ExamsDep,
    templates: TemplatesDep,
) -> Response:
    exam = await exams.get(actor, result.id)
    if exam is None:
        raise no_such_prediction()
    page = ExamPage(form=ExamForm.of(exam))
    return templates.respond(request, page, headers=NO_STORE)


@pages.post("/results/{id}/study")
async def entered(
    request: Request,
    id: PredictionId,
    actor: Acting,
    exams: ExamsDep,
    templates: TemplatesDep,
    fields: FormBody,
) -> Response:
    version = fields.pop(VERSION, None)
    seen = None if version is None else {version}
    try:
        facts = parse(fields)
        exam = await exams.change(actor, id, facts, seen)
    except ExamError as error:
        measured = await _measured(exams, actor, id)
        form = ExamForm.again(id, fields, error.faults, version or "", measured)
        page = ExamPage(form=form)
        return templates.respond(request, page, 422, NO_STORE)
    except ChangedError as error:
        page = ExamPage(form=ExamForm.beside(error.kept, facts, fields))
        return templates.respond(request, page, KINDS[error.code].status, NO_STORE)
    except (StorageUnavailableError, StorageFullError) as error:
        problem = translate(error)
        form = ExamForm.again(id, fields, (), version or "")
        page = ExamPage(form=form, trouble=_(problem.detail))
        headers = {**NO_STORE, **problem.headers}
        return templates.respond(request, page, problem.kind.status, headers)
    if exam is None:
        raise no_such_prediction()
    return RedirectResponse(f"/results/{id}#study", 303)


async def _measured(exams: Exams, actor: Actor, id: UUID) -> tuple[Measured, ...]:
    """Return what scanners told, beside which a form is filled in; nothing where it cannot be had.

    What was typed matters more.
    """
    try:
        exam = await exams.get(actor, id)
    except StorageError:
        return ()
    return () if exam is None else exam.measured
