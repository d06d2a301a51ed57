"""Contexts of articles' pages."""

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
