"""The sheet's pictures: the scan with its vertebrae, and heat maps that passed their check."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Final

from PIL import Image as Picture
from PIL import ImageDraw
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Image, Table

from service.language.locale import _
from service.medicine.sent import SentImage
from service.medicine.vertebrae import view as spine
from service.predictions.contexts import ResultPage
from service.predictions.heat_maps.schemas import HeatMap
from service.predictions.report.measures import FLUSH, RIGHT
from service.predictions.report.typography import SOFT, text
from service.predictions.schemas import Prediction
from service.types import BaseName

Outlines = Sequence[Sequence[tuple[float, float]]]

LEAST: Final = 672
"""Pixels of the longer side that a scan is enlarged to before lines are drawn upon it."""

OUTLINE: Final = (255, 216, 77)

TALLEST: Final = 96 * mm
BESIDE: Final = 64 * mm
"""Of the scan by itself, and of pictures in pairs: the sheet keeps room for words."""


def pictures(
    prediction: Prediction,
    page: ResultPage,
    scan: bytes,
    maps: Mapping[BaseName, HeatMap],
    sent: SentImage | None,
) -> list[Flowable]:
    """Return the scan, as it was sent where that is kept, then the maps that ``page`` offers."""
    found = prediction.vertebrae
    proportions = page.scan_height / page.scan_width
    if sent is not None:
        first = outlined(sent.png, _on_sent(prediction, sent))
        caption, tall = _("The scan as it was sent"), sent.box.height / sent.box.width
    else:
        first = outlined(scan, spine.outlines(found) if found else [])
        caption, tall = _("The scan as the models saw it"), proportions
    shown = [(one, maps[one.model]) for one in page.maps if one.address and one.model in maps]
    width = (RIGHT - 3 * mm) / 2 if shown else RIGHT
    most = BESIDE if shown else TALLEST
    cells = [_framed(first, caption, width, tall, most)]
    for one, heat in shown:
        told = _("Heat map of %(model)s", model=one.name)
        cells.append(_framed(over(scan, heat), told, width, proportions, most))
    if not shown:
        return [*cells[0], *_told(prediction, page, sent, maps=False)]
    if len(cells) % 2:
        cells.append([])
    rows = [cells[i : i + 2] for i in range(0, len(cells), 2)]
    style = [*FLUSH, ("BOTTOMPADDING", (0, 0), (-1, -1), 3)]
    return [
        Table(rows, colWidths=[RIGHT / 2] * 2, style=style),
        *_told(prediction, page, sent, maps=True),
    ]


def _framed(picture: bytes, caption: str, width: float, tall: float, most: float) -> list[Flowable]:
    height = width * tall
    if height > most:
        width, height = most / tall, most
    image = Image(io.BytesIO(picture), width, height, hAlign="LEFT")
    return [image, text(caption, 6.5, colour=SOFT, after=2)]


def _told(
    prediction: Prediction, page: ResultPage, sent: SentImage | None, *, maps: bool
) -> list[Flowable]:
    told = []
    if sent is None:
        told.append(_("Not as it was sent: grey levels stretched. Not for reading."))
    else:
        told.append(_("Grey levels of the image as it was sent. Not for reading."))
    if maps:
        told.append(
            _(
                "Maps lie over the image as the models saw it. Orange speaks for osteoporosis, "
                "blue against; each map by its own strongest value."
            )
        )
    elif prediction.models and page.maps:
        told.append(_("No heat map is shown that failed its check or could not be had."))
    return [text(" ".join(told), 6.5, colour=SOFT)]


def _on_sent(prediction: Prediction, sent: SentImage) -> Outlines:
    """Return the outlines in pixels of ``sent``'s picture."""
    with Picture.open(io.BytesIO(sent.png)) as picture:
        across, down = picture.width / sent.box.width, picture.height / sent.box.height
    left, top = sent.box.left, sent.box.top
    levels = prediction.vertebrae.levels if prediction.vertebrae else ()
    return [[((x - left) * across, (y - top) * down) for x, y in one.outline] for one in levels]


def outlined(scan: bytes, outlines: Outlines) -> bytes:
    """Return ``scan``, a grey PNG, enlarged where it is small, with ``outlines`` in its pixels
    drawn upon it."""
    with Picture.open(io.BytesIO(scan)) as grey:
        times = max(1.0, LEAST / max(grey.size))
        size = round(grey.width * times), round(grey.height * times)
        drawn = grey.convert("RGB").resize(size, Picture.Resampling.BICUBIC)
    pen = ImageDraw.Draw(drawn)
    for outline in outlines:
        points = [(x * times, y * times) for x, y in outline]
        pen.line([*points, points[0]], fill=OUTLINE, width=max(2, round(max(size) / 300)))
    buffer = io.BytesIO()
    drawn.save(buffer, "PNG")
    return buffer.getvalue()


def over(scan: bytes, found: HeatMap) -> bytes:
    """Return ``found`` laid over ``scan``, both PNG of 224×224."""
    with Picture.open(io.BytesIO(scan)) as grey, Picture.open(io.BytesIO(found.png())) as heat:
        laid = Picture.alpha_composite(grey.convert("RGBA"), heat)
    buffer = io.BytesIO()
    laid.convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()
