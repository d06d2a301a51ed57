"""Articles: Markdown in ``frontend/content/LANGUAGE``, each with its owner and its dates."""

from __future__ import annotations

import datetime
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt
from markupsafe import Markup

from service.language.locale import SOURCE
from service.paths import FRONTEND

CONTENT: Final = FRONTEND / "content"
_FENCE: Final = "+++\n"


class ContentError(ValueError):
    """An article lacks what every article must say."""


@dataclass(frozen=True, kw_only=True)
class Review:
    """Who keeps a text, and until when it can be relied on without another look."""

    owner: str
    written: datetime.date
    review_due: datetime.date
    reviewed_by: str

    def expired(self, today: datetime.date) -> bool:
        """True from the day after ``review_due``."""
        return today > self.review_due


@dataclass(frozen=True, kw_only=True)
class Article:
    """``html`` is safe to show: raw HTML in the Markdown is escaped, not passed on."""

    title: str
    review: Review
    html: Markup
    language: str
    """What it is written in: English where there is no translation."""


@cache
def load(name: str, language: str = SOURCE, folder: Path = CONTENT) -> Article:
    """Return the article ``name``. Raises :class:`ContentError` naming what its head lacks.

    The head is TOML between two lines of ``+++`` and holds ``title`` and every field of
    :class:`Review`. Articles stand in a folder for each language; English takes the place of what
    is not translated.
    """
    if not (folder / language / f"{name}.md").is_file():
        language = SOURCE
    text = (folder / language / f"{name}.md").read_text(encoding="utf-8")
    before, head, body = [*text.split(_FENCE, 2), "", ""][:3]
    if before or not body:
        raise ContentError(f"{name}.md does not begin with a head between two lines of +++")
    try:
        facts = tomllib.loads(head)
        title = facts.pop("title")
        return Article(title=title, review=Review(**facts), html=render(body), language=language)
    except (tomllib.TOMLDecodeError, TypeError, KeyError) as error:
        raise ContentError(f"{name}.md: {error}") from error


def render(markdown: str) -> Markup:
    """Return ``markdown`` (CommonMark and tables) as HTML; HTML in it is escaped."""
    html = MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown)
    # Tables and code may be wide: they scroll, and the keyboard must reach what scrolls.
    html = html.replace("<pre>", '<pre tabindex="0">')
    html = html.replace("<table>", '<div class="scroll" tabindex="0"><table>')
    html = html.replace("</table>", "</table></div>")
    # markdown-it escapes raw HTML and refuses script links; nobody's input comes near it.
    return Markup(html)  # noqa: S704 - our own text, escaped
