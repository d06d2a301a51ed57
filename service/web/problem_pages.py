"""Route of the table of problems."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from service.http.problem_types import KINDS
from service.language.locale import _
from service.web.dependencies import TemplatesDep
from service.web.errors import ProblemRow, ProblemsPage

router = APIRouter(include_in_schema=False)


@router.get("/problems")
async def problems(request: Request, templates: TemplatesDep) -> Response:
    rows = tuple(
        ProblemRow(code=code, status=kind.status, title=_(kind.title), help=_(kind.help))
        for code, kind in KINDS.items()
    )
    return templates.respond(request, ProblemsPage(rows=rows))
