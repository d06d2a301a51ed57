"""The current language, and translations into it by gettext.

An English sentence in the code is the key to its translations, which stand in
``frontend/locales/LANGUAGE/LC_MESSAGES/messages.po`` and are compiled in memory at the start
(``python -m service catalogue`` brings them up to date). Which language a request is answered in,
:mod:`service.http.locale` says; outside of one it is English. Programs' answers (``/api/…``) stay
English: their codes are what is stable.
"""

from __future__ import annotations

import gettext as catalogues
import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from service.paths import FRONTEND

LOCALES: Final = FRONTEND / "locales"
SOURCE: Final = "en"
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
