"""Routes of the first page: the form that a scan is sent from."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from service.http.dependencies import UploadLimitsDep
from service.identity.dependencies import Acting
from service.identity.rules import landing, may
from service.predictions.dependencies import NewPredictionDep
from service.predictions.home_contexts import AnalysePage
from service.web.dependencies import TemplatesDep

router = APIRouter(include_in_schema=False)


@router.get("/")
async def form(
    request: Request, actor: Acting, templates: TemplatesDep, limits: UploadLimitsDep
) -> Response:
    if not may(actor, "POST", "/"):
        # Each role begins where there is something for it.
        return RedirectResponse(landing(actor), 303)
    size = limits.max_upload_bytes
    page = AnalysePage(
        max_bytes=int(size), max_size=size.human_readable(separator=" ").replace(".0 ", " ")
    )
    return templates.respond(request, page)


@router.post("/")
async def judge(prediction: NewPredictionDep) -> Response:
    # Loading the page again must not judge again.
    return RedirectResponse(f"/results/{prediction.id}", 303)
