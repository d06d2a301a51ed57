"""Pages: a typed context each, rendered within the common layout in the current language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar

from jinja2 import TemplateNotFound
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from service.http.caching import NO_CACHE
from service.identity.actor import Actor
from service.identity.dependencies import actor_of
from service.identity.rules import may
from service.language import locale as language
from service.language.locale import Language, _, languages
from service.web.labels import INTENDED, labels
from service.web.navigation import NavItem, navigation
from service.web.templates import TEMPLATES, environment


@dataclass(frozen=True, kw_only=True)
class Page:
    """What every template gets. ``templates`` names the first choice, then the fallbacks."""

    templates: ClassVar[tuple[str, ...]] = ()
    section: ClassVar[str] = ""
    """The address in the navigation under which the page belongs, where it is not one of them."""

    def choices(self) -> tuple[str, ...]:
        return self.templates

    def context(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What stands around a page: ``layout`` in every template."""

    language: Language
    languages: tuple[Language, ...]
    navigation: tuple[NavItem, ...]
    back: str
    """Where the page can be had again, in another language."""
    labels: tuple[Markup, ...]
    intended: str
    actor: Actor | None
    """Who the page is for; None: it is not known, as on a page of an error."""

    def may(self, method: str, template: str) -> bool:
        """Whether whoever the page is for may ask for ``template``."""
        return self.actor is None or may(self.actor, method, template)

    @classmethod
    def of(cls, page: Page, address: str, actor: Actor | None) -> Layout:
        """``address`` is the page's path and query."""
        path = address.partition("?")[0]
        return cls(
            language=language.current(),
            languages=tuple(languages().values()),
            navigation=navigation(path, page.section, actor),
            back=address,
            labels=labels(),
            intended=_(INTENDED),
            actor=actor,
        )


class Pages:
    """The templates, compiled once.

    Every template may use ``layout``, ``asset(name)``, gettext's functions (new style: values are
    filled in by name and escaped) and the filters ``number``, ``percent``, ``day`` and ``moment``
    of :mod:`service.language.formats`.
    """

    def __init__(self, folder: Path = TEMPLATES) -> None:
        self._environment = environment(folder)

    def warm(self) -> None:
        """Compile every template and catalogue, so that nobody waits for it. Takes 0.2 seconds."""
        languages()
        for name in self._environment.list_templates():
            self._environment.get_template(name)

    def render(self, page: Page, address: str = "/", actor: Actor | None = None) -> str:
        """Return ``page`` as HTML for ``actor``, in the current language."""
        for name in page.choices():
            try:
                template = self._environment.get_template(name)
            except TemplateNotFound:
                continue
            return template.render(page.context(), layout=Layout.of(page, address, actor))
        raise TemplateNotFound(", ".join(page.choices()))

    def respond(
        self,
        request: Request,
        page: Page,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> HTMLResponse:
        """Answer ``request`` with ``page``. A ``Content-Location`` says where it can be read again.

        What carries no ``Cache-Control`` of its own may be kept but is asked for anew: the same
        address has an answer for each language.
        """
        headers = headers or {}
        query = f"?{request.url.query}" if request.url.query else ""
        address = headers.get("Content-Location", request.url.path + query)
        return HTMLResponse(
            self.render(page, address, actor_of(request.scope)),
            status,
            {
                "Cache-Control": NO_CACHE,
                **headers,
                "Content-Language": language.current().code,
                "Vary": "Accept, Accept-Language, Cookie",
            },
        )
