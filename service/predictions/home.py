"""Routes of the first page: the form that a scan is sent from, with what is known of its exam."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from service.exams.schemas import ExamError
from service.http.caching import NO_STORE
from service.http.dependencies import UploadLimitsDep
from service.identity.dependencies import Acting
from service.identity.rules import landing, may
from service.predictions.dependencies import KeepingDep, SenderDep, UploadDep
from service.predictions.home_contexts import AnalysePage
from service.web.dependencies import TemplatesDep

router = APIRouter(include_in_schema=False)


@router.get("/")
async def form(
    request: Request,
    actor: Acting,
    templates: TemplatesDep,
    limits: UploadLimitsDep,
    keeping: KeepingDep,
) -> Response:
    if not may(actor, "POST", "/"):
        # Each role begins where there is something for it.
        return RedirectResponse(landing(actor), 303)
    return templates.respond(request, AnalysePage.of(limits, keeping))


@router.post("/")
async def judge(
    request: Request,
    upload: UploadDep,
    sender: SenderDep,
    templates: TemplatesDep,
    limits: UploadLimitsDep,
    keeping: KeepingDep,
) -> Response:
    try:
        prediction = await sender.send(upload)
    except ExamError as error:
        page = AnalysePage.of(limits, keeping, upload.fields, error.faults)
        return templates.respond(request, page, 422, NO_STORE)
    # Loading the page again must not judge again.
    return RedirectResponse(f"/results/{prediction.id}", 303)
