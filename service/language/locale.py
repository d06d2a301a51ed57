"""The language of an answer: who chooses it, and how words, numbers and dates are written in it.

An English sentence in the code is the key to its translations, which stand in
``frontend/locales/LANGUAGE/LC_MESSAGES/messages.po`` and are compiled in memory at the start
(``python -m service catalogue`` brings them up to date). The request's cookie decides, then its
``Accept-Language``, else English; :class:`Speaking` makes the choice current while the request is
answered. Programs' answers (``/api/…``) stay English: their codes are what is stable.
"""

from __future__ import annotations

import datetime
import gettext as catalogues
import io
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from babel import Locale, negotiate_locale
from babel.dates import format_date, format_datetime
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from service.http.negotiation import weighed
from service.web.articles import FRONTEND, ORIGINAL

LOCALES: Final = FRONTEND / "locales"
COOKIE: Final = "language"
SOURCE: Final = ORIGINAL
"""What the sentences in the code are written in."""


@dataclass(frozen=True)
class Language:
    """A language that pages can be had in."""

    code: str
    """As in ``<html lang>``."""
    name: str
    """Its own name, as a reader of it looks for it."""
    locale: Locale = field(repr=False, compare=False)
    """How numbers and dates are written. English is written as in Britain: day before month."""
    catalogue: catalogues.NullTranslations = field(repr=False, compare=False)

    def gettext(self, message: str) -> str:
        return self.catalogue.gettext(message)

    def ngettext(self, one: str, many: str, number: int) -> str:
        return self.catalogue.ngettext(one, many, number)

    def pgettext(self, context: str, message: str) -> str:
        return self.catalogue.pgettext(context, message)

    def npgettext(self, context: str, one: str, many: str, number: int) -> str:
        return self.catalogue.npgettext(context, one, many, number)


@cache
def languages() -> Mapping[str, Language]:
    """Every language there is, English first."""
    found = {SOURCE: Language(SOURCE, "English", Locale("en", "GB"), catalogues.NullTranslations())}
    for folder in sorted(path for path in LOCALES.iterdir() if path.is_dir()):
        locale = Locale.parse(folder.name)
        name = (locale.display_name or folder.name).capitalize()
        found[folder.name] = Language(folder.name, name, locale, _compiled(po(folder.name)))
    return found


def po(code: str) -> Path:
    """Return where the catalogue of the language ``code`` stands."""
    return LOCALES / code / "LC_MESSAGES" / "messages.po"


def _compiled(path: Path) -> catalogues.GNUTranslations:
    with path.open("rb") as file:
        catalogue = read_po(file)
    binary = io.BytesIO()
    write_mo(binary, catalogue)
    binary.seek(0)
    return catalogues.GNUTranslations(binary)


def choose(headers: Headers) -> Language:
    """Return the language that the request asks for; what it cannot have is passed over."""
    known = languages()
    if (chosen := known.get(_cookie(headers.get("cookie", "")))) is not None:
        return chosen
    wanted = weighed(headers.get("accept-language", ""))
    found = negotiate_locale([tag for tag, weight in wanted.items() if weight], known, sep="-")
    return known[found or SOURCE]


def _cookie(header: str) -> str:
    """Return the last value of our cookie, nothing where it is missing. Codes are never quoted."""
    found = ""
    for pair in header.split(";"):
        name, _separator, value = pair.partition("=")
        if name.strip() == COOKIE:
            found = value.strip()
    return found


_current: ContextVar[Language | None] = ContextVar("language", default=None)


def current() -> Language:
    """The language that is being answered in; English outside of a request."""
    return _current.get() or languages()[SOURCE]


@contextmanager
def speaking(code: str) -> Iterator[Language]:
    """Make the language ``code`` the current one inside the block. Raises KeyError."""
    token = _current.set(languages()[code])
    try:
        yield current()
    finally:
        _current.reset(token)


class Speaking:
    """Answers each request in the language it asks for.

    Cookies end here: nobody behind needs one, and FastAPI reads them for every request, by Python's
    own parser, for which older patch levels take quadratic time (CVE-2024-7592).
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        chosen = choose(Headers(scope=scope)).code
        headers = [(name, value) for name, value in scope["headers"] if name != b"cookie"]
        with speaking(chosen):
            await self._app({**scope, "headers": headers}, receive, send)


def _(message: str, **values: Any) -> str:
    """Translate ``message``; with ``values``, fill its ``%(name)s``."""
    text = current().gettext(message)
    return text % values if values else text


def ngettext(one: str, many: str, number: int, **values: Any) -> str:
    """Translate ``one`` or ``many`` by ``number``, which fills ``%(num)s``."""
    return current().ngettext(one, many, number) % {"num": number, **values}


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for it
    """Mark ``message`` for the catalogues; whoever shows it translates it then, with ``_``."""
    return message


def number(value: float, digits: int = 0, *, signed: bool = False) -> str:
    """Write ``value`` with ``digits`` decimals: ``1,234.5``; a minus is a minus, not a hyphen."""
    form = "#,##0" + ("." + "0" * digits if digits else "")
    pattern = f"+{form};-{form}" if signed else form
    return format_decimal(value, pattern, current().locale).replace("-", "−")


def percent(part: float, digits: int = 1) -> str:
    """Write ``part`` (0…1) as ``63.8 %``."""
    return f"{number(part * 100, digits)} %"


def day(value: datetime.date) -> str:
    """Write ``23 November 2026``."""
    return format_date(value, "d MMMM y" if current().code == SOURCE else "long", current().locale)


def moment(value: datetime.datetime) -> str:
    """Write ``23 November 2026, 14:05 UTC``. ``value`` knows its zone."""
    utc = value.astimezone(datetime.UTC)
    return f"{day(utc)}, {format_datetime(utc, 'HH:mm', locale=current().locale)} UTC"


def listing(names: Iterable[str]) -> str:
    """Write ``CNN, VGG16 and ResNet``; nothing for no names."""
    return format_list(list(names), locale=current().locale)
