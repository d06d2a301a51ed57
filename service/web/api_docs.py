"""The page around the OpenAPI document."""

from __future__ import annotations

from dataclasses import dataclass

from service.web.page import Page


@dataclass(frozen=True, kw_only=True)
class DocsPage(Page):
    templates = ("docs.html",)
