"""Routes of articles' pages: questions, how to integrate, what this is and is not for."""

from __future__ import annotations

import datetime

from fastapi import APIRouter, Request, Response

from models.image import recipe
from service.clock import now
from service.language import locale as language
from service.web import articles as content
from service.web.article_contexts import AboutPage, ArticlePage
from service.web.dependencies import TemplatesDep
from service.web.templates import Templates

router = APIRouter(include_in_schema=False)


@router.get("/faq")
async def faq(request: Request, templates: TemplatesDep) -> Response:
    return _article("faq", request, templates)


@router.get("/integrate")
async def integrate(request: Request, templates: TemplatesDep) -> Response:
    return _article("integrate", request, templates)


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


def _article(name: str, request: Request, templates: Templates) -> Response:
    return templates.respond(request, ArticlePage.of(*_load(name)))


def _load(name: str) -> tuple[content.Article, datetime.date]:
    """Return the article in the current language, and today."""
    article = content.load(name, language.current().code)
    return article, now().date()
