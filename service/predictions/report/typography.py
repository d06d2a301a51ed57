"""The sheet's letters: Bitstream Vera, which ReportLab carries and every PDF here embeds."""

from __future__ import annotations

import threading
import unicodedata
from functools import cache
from typing import Final

from markupsafe import Markup, escape
from reportlab.lib.colors import Color, HexColor
from reportlab.lib.fonts import addMapping
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Paragraph

# ReportLab keeps fonts and paragraph parsers in globals.
ONE_AT_A_TIME: Final = threading.Lock()
"""Held while a sheet is drawn."""

REGULAR: Final = "Vera"
BOLD: Final = "VeraBd"

INK: Final[Color] = HexColor("#15202b")
SOFT: Final[Color] = HexColor("#4a5a68")
RULE: Final[Color] = HexColor("#d3dbe2")
SUNK: Final[Color] = HexColor("#e6ebef")
WARN: Final[Color] = HexColor("#6d4500")
BAND: Final[Color] = HexColor("#c9b6e2")
TONES: Final[dict[str, Color]] = {
    "osteoporosis": HexColor("#9c3310"),
    "normal": HexColor("#1b5483"),
    "indeterminate": HexColor("#63399a"),
    "refused": HexColor("#414d58"),
}
"""The light theme of frontend/static/tokens.css; a test holds the two together."""


@cache
def fonts() -> None:
    """Make the fonts known, once a process: ReportLab's table of them is global."""
    for name in (REGULAR, BOLD, "VeraIt", "VeraBI"):
        pdfmetrics.registerFont(TTFont(name, f"{name}.ttf"))
    for bold, italic, name in (
        (0, 0, REGULAR), (1, 0, BOLD), (0, 1, "VeraIt"), (1, 1, "VeraBI"),
    ):  # fmt: skip
        addMapping(REGULAR, bold, italic, name)


_BARRED: Final = str.maketrans(
    {"đ": "d", "Đ": "D", "ħ": "h", "Ħ": "H", "ŧ": "t", "Ŧ": "T", "ŋ": "ng", "Ŋ": "NG"}
)
"""Letters that Unicode does not take apart."""


def spelt(words: str) -> str:
    """Return ``words`` in letters that the fonts have.

    Others lose their accents; one that is nothing without them shows as its number, ``[U+0416]``,
    since a box would say nothing.
    """
    return "".join(map(_letter, words))


def _letter(letter: str) -> str:
    if _drawn(letter):
        return letter
    plain = "".join(
        part
        for part in unicodedata.normalize("NFKD", letter.translate(_BARRED))
        if not unicodedata.combining(part)
    )
    if _drawn(plain):
        # A mark that stands alone follows its letter and may go.
        return plain
    return f"[U+{ord(letter):04X}]"


def _drawn(letters: str) -> bool:
    fonts()
    # Vera's own table leads some letters to glyph 0, which is the box.
    return all(
        pdfmetrics.getFont(name).face.charToGlyph.get(ord(letter))
        for letter in letters
        for name in (REGULAR, BOLD)
    )


def text(
    words: str | Markup,
    size: float = 8,
    *,
    colour: Color = INK,
    bold: bool = False,
    after: float = 0,
    bullet: bool = False,
) -> Paragraph:
    """Return a paragraph. ``words`` is escaped unless it is markup; sizes are in points."""
    shown = spelt(str(escape(words)))
    style = ParagraphStyle(
        "sheet",
        fontName=BOLD if bold else REGULAR,
        fontSize=size,
        leading=size * 1.3,
        textColor=colour,
        spaceAfter=after,
        leftIndent=size * 1.4 if bullet else 0,
        bulletFontName=REGULAR,
        bulletFontSize=size,
        # Long words: versions and hashes have no place to break.
        splitLongWords=1,
    )
    return Paragraph(shown, style, bulletText="–" if bullet else None)
