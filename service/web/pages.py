"""Routes of the pages that belong to no subject: articles, and the table of problems."""

from __future__ import annotations

import datetime

from fastapi import APIRouter, Request, Response

from models.image import recipe
from service.clock import now
from service.http.problem_types import KINDS
from service.language import locale as language
from service.language.locale import _
from service.web import articles as content
from service.web.contexts import AboutPage, ArticlePage, ProblemRow, ProblemsPage
from service.web.dependencies import TemplatesDep

router = APIRouter(include_in_schema=False)


@router.get("/faq")
async def faq(request: Request, templates: TemplatesDep) -> Response:
    return templates.respond(request, ArticlePage.of(*_load("faq")))


@router.get("/integrate")
async def integrate(request: Request, templates: TemplatesDep) -> Response:
    return templates.respond(request, ArticlePage.of(*_load("integrate")))


@router.get("/about")
async def about(request: Request, templates: TemplatesDep) -> Response:
    article, today = _load("about")
    page = AboutPage(
        article=article,
        expired=article.review.expired(today),
        version=request.app.version,
        recipe=recipe.NAME,
    )
    return templates.respond(request, page)


@router.get("/problems")
async def problems(request: Request, templates: TemplatesDep) -> Response:
    rows = tuple(
        ProblemRow(code=code, status=kind.status, title=_(kind.title), help=_(kind.help))
        for code, kind in KINDS.items()
    )
    return templates.respond(request, ProblemsPage(rows=rows))


def _load(name: str) -> tuple[content.Article, datetime.date]:
    """Return the article in the current language, and today."""
    article = content.load(name, language.current().code)
    return article, now().date()
