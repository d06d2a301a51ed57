"""The environment that templates are compiled in, and addresses of static files."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from service.language import formats
from service.language import locale as language
from service.paths import FRONTEND

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
