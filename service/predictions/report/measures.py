"""How the sheet is laid out: margins, two columns, and tables without room around their cells."""

from __future__ import annotations

from typing import Final

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm

MARGIN: Final = 14 * mm
WIDTH: Final = A4[0] - 2 * MARGIN
RIGHT: Final = 80 * mm
GAP: Final = 6 * mm
LEFT: Final = WIDTH - RIGHT - GAP

FLUSH: Final = [
    ("LEFTPADDING", (0, 0), (-1, -1), 0), ("RIGHTPADDING", (0, 0), (-1, -1), 0),
    ("TOPPADDING", (0, 0), (-1, -1), 0), ("BOTTOMPADDING", (0, 0), (-1, -1), 0),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
]  # fmt: skip
