"""Error pages, and the table of all problems."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from service.http.problems import Problem
from service.language import locale as language
from service.language.locale import _
from service.web.page import Page
from service.web.templates import Templates


@dataclass(frozen=True, kw_only=True)
class ErrorPage(Page):
    """The same facts as the problem document."""

    status: int
    title: str
    detail: str
    detail_language: str
    """Details that quote a file's own facts are English in every language."""
    help: str
    code: str
    instance: str
    retry_after: str | None

    def choices(self) -> tuple[str, ...]:
        return (f"{self.status}.html", "error.html")

    @classmethod
    def of(cls, problem: Problem, instance: str) -> ErrorPage:
        detail = _(problem.detail)
        untranslated = detail == problem.detail
        return cls(
            status=problem.kind.status,
            title=_(problem.kind.title),
            detail=detail,
            detail_language=language.SOURCE if untranslated else language.current().code,
            help=_(problem.kind.help),
            code=problem.code,
            instance=instance,
            retry_after=problem.headers.get("Retry-After"),
        )


def error_page(
    pages: Templates, request: Request, problem: Problem, headers: Mapping[str, str]
) -> Response:
    """Answer ``problem`` as a page."""
    page = ErrorPage.of(problem, request.url.path)
    return pages.respond(request, page, problem.kind.status, headers)


@dataclass(frozen=True, kw_only=True)
class ProblemRow:
    code: str
    status: int
    title: str
    help: str


@dataclass(frozen=True, kw_only=True)
class ProblemsPage(Page):
    templates = ("problems.html",)

    rows: tuple[ProblemRow, ...]
