"""Pages: a typed context for each template, and nothing in a template that is not in one.

One module a family of pages, each with its contexts; what renders them is in ``page``.
"""

from service.pages.analyse import AnalysePage
from service.pages.article import ArticlePage
from service.pages.docs import DocsPage
from service.pages.error import ErrorPage, ProblemRow, ProblemsPage
from service.pages.page import STATIC, TEMPLATES, Page, Pages
from service.pages.result import REASONS, ResultPage
from service.pages.votes import MODEL_NAMES

__all__ = [
    "MODEL_NAMES",
    "REASONS",
    "STATIC",
    "TEMPLATES",
    "AnalysePage",
    "ArticlePage",
    "DocsPage",
    "ErrorPage",
    "Page",
    "Pages",
    "ProblemRow",
    "ProblemsPage",
    "ResultPage",
]
