"""What went wrong, and the table of everything that can."""

from __future__ import annotations

from dataclasses import dataclass

from service.web.page import Page


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
