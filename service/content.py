"""Articles: Markdown in ``frontend/content``, each with its owner and its dates."""

from __future__ import annotations

import datetime
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt
from markupsafe import Markup

FRONTEND: Final = Path(__file__).resolve().parent.parent / "frontend"
CONTENT: Final = FRONTEND / "content"
_FENCE: Final = "+++\n"


class ContentError(ValueError):
    """An article lacks what every article must say."""


@dataclass(frozen=True, kw_only=True)
class Article:
    """``html`` is safe to show: raw HTML in the Markdown is escaped, not passed on."""

    title: str
    owner: str
    written: datetime.date
    review_due: datetime.date
    reviewed_by: str
    html: Markup


def load(name: str, folder: Path = CONTENT) -> Article:
    """Return the article ``name``. Raises :class:`ContentError` naming what its head lacks.

    The head is TOML between two lines of ``+++`` and holds every field of :class:`Article` but the
    text.
    """
    text = (folder / f"{name}.md").read_text(encoding="utf-8")
    before, head, body = [*text.split(_FENCE, 2), "", ""][:3]
    if before or not body:
        raise ContentError(f"{name}.md does not begin with a head between two lines of +++")
    try:
        facts = tomllib.loads(head)
        html = MarkdownIt("commonmark", {"html": False}).render(body)
        # markdown-it escapes raw HTML and refuses script links; nobody's input comes near it.
        return Article(html=Markup(html), **facts)  # noqa: S704 - our own text, escaped
    except (tomllib.TOMLDecodeError, TypeError) as error:
        raise ContentError(f"{name}.md: {error}") from error
