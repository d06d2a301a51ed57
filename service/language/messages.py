"""Brings ``frontend/locales`` up to date with the sentences in code and templates.

The English sentence is the key. ``python -m service catalogue`` adds what is new (untranslated),
drops what is gone, and keeps every translation; a test fails while anything is left to translate.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from service.language.locale import SOURCE, languages, po

ROOT: Final = Path(__file__).resolve().parents[2]
_KEYWORDS: Final[dict[str, Any]] = {
    "_": None,
    "N_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
_FOLDERS: Final = ("service", "frontend/templates")
_METHODS: Final = [("**.py", "python"), ("**.html", "jinja2")]
_OPTIONS: Final = {"**.html": {"trimmed": "true", "silent": "false", "newstyle_gettext": "true"}}


def extracted() -> Catalog:
    """Every sentence that pages can show, with the files it stands in."""
    catalogue = Catalog(project="osteoserve", charset="utf-8")
    for folder in _FOLDERS:
        found = extract_from_dir(
            ROOT / folder,
            _METHODS,
            _OPTIONS,
            _KEYWORDS,
            comment_tags=("translators:",),
            strip_comment_tags=True,
        )
        for name, line, message, comments, context in found:
            catalogue.add(
                message, None, [(f"{folder}/{name}", line)], auto_comments=comments, context=context
            )
    return catalogue


def update() -> Iterator[tuple[str, int]]:
    """Rewrite each catalogue; yield its language and how many sentences wait for a translation."""
    template = extracted()
    for code in languages():
        if code == SOURCE:
            continue
        with po(code).open("rb") as file:
            catalogue = read_po(file, locale=code)
        catalogue.update(template, no_fuzzy_matching=True, update_creation_date=False)
        with po(code).open("wb") as file:
            write_po(
                file, catalogue, width=100, include_lineno=False, ignore_obsolete=True,
                sort_by_file=True,
            )  # fmt: skip
        yield code, sum(not _whole(message.string) for message in catalogue if message.id)


def _whole(text: str | tuple[str, ...] | list[str] | None) -> bool:
    return all(text) if isinstance(text, (tuple, list)) else bool(text)
