"""What every page has: a typed context, a frame around it, and the language it is written in."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateNotFound
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from service.http.caching import NO_CACHE
from service.language import formats
from service.language import locale as language
from service.language.locale import N_, Language, _, languages
from service.paths import FRONTEND
from service.web.labels import INTENDED, labels

TEMPLATES: Final = FRONTEND / "templates"
STATIC: Final = FRONTEND / "static"

NAVIGATION: Final[Mapping[str, str]] = {
    "/": N_("Analyse"),
    "/bulk": N_("Bulk"),
    "/history": N_("History"),
    "/treatment": N_("Treatment"),
    "/faq": N_("FAQ"),
    "/models": N_("Models"),
    "/about": N_("About"),
    "/api/docs": N_("API"),
}
"""The entries of the main navigation, by address."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """What every template gets. ``templates`` names the first choice, then the fallbacks."""

    templates: ClassVar[tuple[str, ...]] = ()
    section: ClassVar[str] = ""
    """The address in :data:`NAVIGATION` under which the page belongs, where it is not itself one
    of them."""

    def choices(self) -> tuple[str, ...]:
        return self.templates

    def context(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry of the navigation. ``current`` is an ``aria-current`` value or empty."""

    address: str
    label: str
    current: str


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What stands around a page: ``frame`` in every template."""

    language: Language
    languages: tuple[Language, ...]
    entries: tuple[Entry, ...]
    back: str
    """Where the page can be had again, in another language."""
    labels: tuple[Markup, ...]
    intended: str

    @classmethod
    def of(cls, page: Page, address: str) -> Frame:
        """``address`` is the page's path and query."""
        path = address.partition("?")[0]
        return cls(
            language=language.current(),
            languages=tuple(languages().values()),
            entries=tuple(
                Entry(address=at, label=_(label), current=_current(at, path, page.section))
                for at, label in NAVIGATION.items()
            ),
            back=address,
            labels=labels(),
            intended=_(INTENDED),
        )


def _current(entry: str, path: str, section: str) -> str:
    if entry == path:
        return "page"
    return "true" if entry == section else ""


class Pages:
    """The templates, compiled once.

    Every template may use ``frame``, ``asset(name)``, gettext's functions (new style: values are
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

    def render(self, page: Page, address: str = "/") -> str:
        """Return ``page`` as HTML, in the current language."""
        for name in page.choices():
            try:
                template = self._environment.get_template(name)
            except TemplateNotFound:
                continue
            return template.render(page.context(), frame=Frame.of(page, address))
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
            self.render(page, address),
            status,
            {
                "Cache-Control": NO_CACHE,
                **headers,
                "Content-Language": language.current().code,
                "Vary": "Accept, Accept-Language, Cookie",
            },
        )


@cache
def environment(folder: Path = TEMPLATES) -> Environment:
    """Return the environment that templates are compiled in, once a process."""
    made = Environment(
        loader=FileSystemLoader(folder),
        extensions=["jinja2.ext.i18n"],
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.policies["ext.i18n.trimmed"] = True
    # The extension adds this method to the environment; its types do not know.
    made.install_gettext_callables(  # type: ignore[attr-defined]
        lambda message: language.current().gettext(message),
        lambda one, many, number: language.current().ngettext(one, many, number),
        newstyle=True,
        pgettext=lambda context, message: language.current().pgettext(context, message),
        npgettext=lambda context, one, many, number: language.current().npgettext(
            context, one, many, number
        ),
    )
    made.globals["asset"] = asset
    for name in ("number", "percent", "day", "moment"):
        made.filters[name] = getattr(formats, name)
    return made


@cache
def asset(name: str) -> str:
    """Return the address of the file ``name`` in ``frontend/static``, which names its content."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()
    return f"/static/{name}?v={digest[:12]}"
