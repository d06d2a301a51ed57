"""Templates: compiled once, rendered within the common layout in the current language."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateNotFound
from starlette.requests import Request
from starlette.responses import HTMLResponse

from service.http import sub_path
from service.http.caching import NO_CACHE, NO_STORE
from service.identity.actor import Actor
from service.identity.dependencies import actor_of
from service.language import formats
from service.language import locale as language
from service.language.locale import languages
from service.paths import FRONTEND
from service.web.page import Layout, Page

TEMPLATES: Final = FRONTEND / "templates"
STATIC: Final = FRONTEND / "static"


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


class Templates:
    """The templates, compiled once, with ``sub_path`` before the addresses in what they give.

    Every template may use ``layout``, ``asset(name)``, gettext's functions (new style: values are
    filled in by name and escaped) and the filters ``number``, ``percent``, ``day`` and ``moment``
    of :mod:`service.language.formats`.
    """

    def __init__(self, folder: Path = TEMPLATES, sub_path: str = "") -> None:
        self._environment = environment(folder)
        self._sub_path = sub_path

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
            shown = template.render(page.context(), layout=Layout.of(page, address, actor))
            return sub_path.below(self._sub_path, shown)
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
        address has an answer for each language. What is shown to a person is kept nowhere.
        """
        headers, actor = headers or {}, actor_of(request.scope)
        query = f"?{request.url.query}" if request.url.query else ""
        address = headers.get("Content-Location", request.url.path + query)
        return HTMLResponse(
            self.render(page, address, actor),
            status,
            {
                "Cache-Control": NO_CACHE,
                **headers,
                **(NO_STORE if actor is not None and actor.is_person else {}),
                "Content-Language": language.current().code,
                "Vary": "Accept, Accept-Language, Cookie",
            },
        )
