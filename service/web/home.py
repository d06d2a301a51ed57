"""Routes of the first page, and of the table of problems."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from service.http.problem_types import KINDS
from service.language.locale import _
from service.state import Acting, Opened, predict
from service.web.errors import ProblemRow, ProblemsPage
from service.web.home_context import AnalysePage

router = APIRouter(include_in_schema=False)


@router.get("/")
async def form(request: Request, state: Opened) -> Response:
    size = state.settings.max_upload_bytes
    page = AnalysePage(
        max_bytes=int(size), max_size=size.human_readable(separator=" ").replace(".0 ", " ")
    )
    return state.pages.respond(request, page)


@router.post("/")
async def judge(request: Request, actor: Acting, state: Opened) -> Response:
    prediction = await predict(request, actor, state)
    # Loading the page again must not judge again.
    return RedirectResponse(f"/results/{prediction.id}", 303)


@router.get("/problems")
async def problems(request: Request, state: Opened) -> Response:
    rows = tuple(
        ProblemRow(code=code, status=kind.status, title=_(kind.title), help=_(kind.help))
        for code, kind in KINDS.items()
    )
    return state.pages.respond(request, ProblemsPage(rows=rows))
