"""``/api/v1/considerations`` and ``/treatment``: one engine, asked by programs and by a form.

What is entered is neither stored nor logged, and never part of an address: only POST takes it.
``/results/{id}/treatment`` is the form with what was entered about that result's study.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Request, Response

from service.clock import now
from service.errors import Fault
from service.exams.dependencies import ExamsDep
from service.http.body import FormBody, json_body
from service.http.caching import NO_STORE
from service.http.problem_types import KINDS
from service.http.problems import problems
from service.identity.dependencies import Acting
from service.language import locale as language
from service.medicine.guidance import Answer, Facts, consider
from service.medicine.guidance.considerations import EXAMPLE_FACTS, example
from service.medicine.guidance.contexts import Considered, TreatmentPage, of_exam
from service.medicine.guidance.facts import FactsError, read
from service.medicine.guidance.form import parse
from service.medicine.guidance.study import fields_of
from service.medicine.modalities.dependencies import ModalitySettingsDep
from service.results import ResultDep, no_such_prediction
from service.web import articles as content
from service.web.dependencies import TemplatesDep

api = APIRouter(prefix="/api/v1/considerations", tags=["considerations"])
pages = APIRouter(prefix="/treatment", include_in_schema=False)
study = APIRouter(prefix="/results/{id}/treatment", include_in_schema=False)

FactsBody = Annotated[Facts, Depends(json_body(Facts, read, EXAMPLE_FACTS))]


@api.post(
    "",
    summary="What guidelines say to consider",
    response_model=Answer,
    responses={
        200: {
            "description": "Considerations, each with its reasons and its source; conflicting ones "
            "side by side. Nothing is stored.",
            "content": {"application/json": {"example": example()}},
        },
        **problems(400, 403, 413, 422, 500, 503),
    },
)
async def create(response: Response, facts: FactsBody) -> Answer:
    """Send what is known of a person: every fact is optional, and what is left out is *not known*.

    No image and no probability is among the facts: nothing recommended here can follow from one.
    FRAX is an input and never computed. Research use only; a clinician decides.
    """
    response.headers.update(NO_STORE)
    return consider(facts, now().date())


@pages.get("")
async def form(request: Request, templates: TemplatesDep) -> Response:
    return templates.respond(request, _page({}, {}, None))


@pages.post("")
async def answer(request: Request, templates: TemplatesDep, sent: FormBody) -> Response:
    try:
        facts = parse(sent, now().date())
    except FactsError as error:
        faults = {fault.field: fault for fault in error.faults}
        page, status = _page(sent, faults, None), KINDS["invalid_facts"].status
    else:
        page, status = _page(sent, {}, facts), 200
    return templates.respond(request, page, status, NO_STORE)


@study.get("")
async def of_study(
    request: Request,
    result: ResultDep,
    actor: Acting,
    exams: ExamsDep,
    templates: TemplatesDep,
    limits: ModalitySettingsDep,
) -> Response:
    exam = await exams.get(actor, result.id)
    if exam is None:
        raise no_such_prediction()
    sent = fields_of(exam, limits)
    facts = parse(sent, now().date()) if sent else None
    page = of_exam(_page(sent, {}, facts, study=f"/results/{result.id}"), exam, limits)
    return templates.respond(request, page, headers=NO_STORE)


def install(app: FastAPI) -> None:
    for routes in (api, pages, study):
        app.include_router(routes)


def _page(
    sent: Mapping[str, str], faults: Mapping[str, Fault], facts: Facts | None, study: str = ""
) -> TreatmentPage:
    article = content.load("treatment", language.current().code)
    today = now().date()
    found = consider(facts or read({}), today)
    return TreatmentPage.of(
        article=article,
        expired=found.content.expired or article.review.expired(today),
        sent=sent,
        faults=faults,
        considered=None if facts is None else Considered.of(facts, found),
        study=study,
    )
