"""Contexts of the pages that belong to no subject: articles, the table of problems, the API's."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from service.web.articles import Article
from service.web.page import Page


@dataclass(frozen=True, kw_only=True)
class ArticlePage(Page):
    templates = ("article.html",)

    article: Article
    expired: bool

    @classmethod
    def of(cls, article: Article, today: datetime.date) -> ArticlePage:
        return cls(article=article, expired=article.review.expired(today))


@dataclass(frozen=True, kw_only=True)
class AboutPage(ArticlePage):
    """What this is for, and which version of it answers."""

    templates = ("about.html",)

    version: str
    recipe: str


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


@dataclass(frozen=True, kw_only=True)
class DocsPage(Page):
    templates = ("docs.html",)
