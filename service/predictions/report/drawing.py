"""What on the sheet is drawn: an outcome's shape, the gauge, a vote's bar."""

from __future__ import annotations

from reportlab.graphics.shapes import Circle, Drawing, Line, Polygon, Rect, String
from reportlab.lib.colors import Color

from service.medicine.osteoporosis.view import within
from service.predictions.report.typography import BAND, INK, REGULAR, SOFT, SUNK, TONES
from service.predictions.schemas import Prediction
from service.types import Outcome


def shape(outcome: Outcome, size: float = 18) -> Drawing:
    """The outcome's shape as on the pages (templates/shapes.html), ``size`` points wide."""
    tone = TONES[outcome]
    drawn = Drawing(size, size)
    outline = {"fillColor": None, "strokeColor": tone, "strokeWidth": size / 9}
    filled = {"fillColor": tone, "strokeColor": None}
    half, inset = size / 2, size / 8
    if outcome == "osteoporosis":
        drawn.add(Polygon([half, size, size, half, half, 0, 0, half], **filled))
    elif outcome == "normal":
        drawn.add(Circle(half, half, half - inset, **outline))
    elif outcome == "indeterminate":
        drawn.add(Rect(inset, inset, half - inset, size - 2 * inset, **filled))
        drawn.add(Rect(inset, inset, size - 2 * inset, size - 2 * inset, **outline))
    else:
        third = size * 0.3
        corners = [(third, 0), (size - third, 0), (size, third), (size, size - third),
                   (size - third, size), (third, size), (0, size - third), (0, third)]  # fmt: skip
        points = [inset + c * (1 - 2 * inset / size) for corner in corners for c in corner]
        drawn.add(Polygon(points, **outline))
        drawn.add(Line(third, third, size - third, size - third,
                       strokeColor=tone, strokeWidth=size / 9))  # fmt: skip
    return drawn


def gauge(prediction: Prediction, width: float) -> Drawing | None:
    """The probability with threshold and band on 0…100 %; None without one."""
    p = prediction
    if p.probability is None or p.threshold is None or p.band is None:
        return None
    drawn = Drawing(width, 34)
    low, high = p.band
    drawn.add(Rect(0, 12, width, 8, fillColor=SUNK, strokeColor=None))
    drawn.add(Rect(low * width, 9, (high - low) * width, 14, fillColor=BAND, strokeColor=None))
    threshold = p.threshold * width
    drawn.add(Line(threshold, 7, threshold, 25, strokeColor=TONES["indeterminate"],
                   strokeWidth=1.5, strokeDashArray=[3, 1.5]))  # fmt: skip
    at = within(p.probability) * width
    drawn.add(Polygon([at - 5, 33, at + 5, 33, at, 24], fillColor=INK, strokeColor=None))
    drawn.add(Line(at, 24, at, 11, strokeColor=INK, strokeWidth=1.8))
    for part, anchor in ((0.0, "start"), (0.5, "middle"), (1.0, "end")):
        drawn.add(String(part * width, 0, f"{part * 100:.0f} %", fontName=REGULAR, fontSize=6.5,
                         fillColor=SOFT, textAnchor=anchor))  # fmt: skip
    return drawn


def bar(start: float, end: float, width: float, colour: Color) -> Drawing:
    """A piece from ``start`` to ``end`` (0…1) of a bar ``width`` points wide."""
    drawn = Drawing(width, 4)
    drawn.add(Rect(0, 0, width, 4, fillColor=SUNK, strokeColor=None))
    low, high = sorted((start, end))
    drawn.add(Rect(low * width, 0, (high - low) * width, 4, fillColor=colour, strokeColor=None))
    return drawn
