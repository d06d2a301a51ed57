"""The image as it was sent, as it may be kept: its pixels as a PNG of 8 bits, and nothing else.

No header of a file is kept, no colour, and of what was refused for text in its pixels nothing at
all: a page or a screen shows names. Made in a decoder's worker: keep the imports small.
"""

from __future__ import annotations

import io
import math
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from models.gate.reason import Reason
from models.image import recipe
from models.image.cropping import Box
from models.image.scan import Scan
from models.vertebrae.geometry import Spine
from models.vertebrae.report import SPACING

Extent = Literal["as_sent", "spine", "none"]

LONGEST: Final = 2048
"""Pixels of the longer side to which a larger image is reduced: more than any scanner exports."""

SMALLEST: Final = 144
"""Pixels of the shorter side below which an image is rather not kept than reduced further."""

ROUNDS: Final = 4
"""Times that an image is reduced to come under the bound of its bytes."""

GAP: Final = 4
"""Half of the frame's pixels between strokes up to which they are of one word."""

MARGIN: Final = 0.5
"""Of the spine's height and width, what is kept around it where it alone is."""

TEXT: Final = frozenset({Reason.BURNED_IN_SHEET.value, Reason.PHOTOGRAPH.value})
"""Reasons by which an image most probably shows names."""

Grey = NDArray[np.uint8]


@dataclass(frozen=True)
class Kept:
    """What is kept of images as they were sent, and the bytes that one may take."""

    extent: Extent = "none"
    most: int = 0


@dataclass(frozen=True, eq=False)
class SentImage:
    """``png`` shows what ``box`` holds of the image as sent, with fewer pixels where it was large;
    ``spacing`` is (row, column) in millimetres a pixel *as sent*, None where none is believed."""

    png: bytes
    box: Box
    spacing: tuple[float, float] | None


def whole(scan: Scan, kept: Kept) -> SentImage | None:
    """Return all of ``scan``; None where that is not to be kept, or too large."""
    if kept.extent != "as_sent":
        return None
    box = Box(0, 0, scan.width, scan.height)
    return _made(_grey(recipe.reduced(scan, LONGEST)), box, scan, kept)


def column(
    scan: Scan, box: Box, spine: Spine, graphics: NDArray[np.bool_], kept: Kept
) -> SentImage | None:
    """Return the surroundings of ``spine`` without what is drawn upon them, which may be words.

    ``scan`` shows what ``box`` holds of the image as sent; ``spine`` and ``graphics`` (224, 224)
    were found in its frame. None where that is not to be kept, or too large.
    """
    if kept.extent != "spine":
        return None
    points = np.array([point for level in spine.levels for point in level.outline]) / recipe.SIDE
    low, high = points.min(0), points.max(0)
    around = MARGIN * (high - low)
    (left, top), (right, bottom) = np.clip(low - around, 0, 1), np.clip(high + around, 0, 1)
    x0, x1 = math.floor(left * scan.width), math.ceil(right * scan.width)
    y0, y1 = math.floor(top * scan.height), math.ceil(bottom * scan.height)
    grey = _grey(scan).copy()
    covered = _whole_words(graphics).resize((scan.width, scan.height), Image.Resampling.NEAREST)
    grey[np.asarray(covered) > 0] = 0
    across, down = box.width / scan.width, box.height / scan.height
    edges = [round(x0 * across), round(y0 * down), round(x1 * across), round(y1 * down)]
    place = Box(box.left + edges[0], box.top + edges[1], edges[2] - edges[0], edges[3] - edges[1])
    return _made(np.ascontiguousarray(grey[y0:y1, x0:x1]), place, scan, kept)


def _whole_words(graphics: NDArray[np.bool_]) -> Image.Image:
    """Return what to hide of a frame: ``graphics`` and their neighbours, and all between letters,
    whose shapes in black would read as well as in white."""
    drawn = Image.fromarray(graphics.astype(np.uint8) * 255)
    around = drawn.filter(ImageFilter.MaxFilter(2 * (GAP + 1) + 1))
    return around.filter(ImageFilter.MinFilter(2 * GAP + 1))


def unless_text(sent: SentImage | None, reasons: Collection[str]) -> SentImage | None:
    """Return ``sent``; None where ``reasons`` refuse it for what names stand in."""
    return None if TEXT & set(reasons) else sent


def _made(grey: Grey, box: Box, scan: Scan, kept: Kept) -> SentImage | None:
    for _ in range(ROUNDS):
        png = _encoded(grey)
        if len(png) <= kept.most:
            return SentImage(png, box, _believed(scan.spacing))
        height, width = grey.shape
        # Bytes go with the pixels' number; a little smaller, so that one round mostly does.
        part = 0.95 * math.sqrt(kept.most / len(png))
        if min(width, height) * part < SMALLEST:
            break
        size = round(width * part), round(height * part)
        grey = np.asarray(Image.fromarray(grey).resize(size, Image.Resampling.BOX))
    return None


def _grey(scan: Scan) -> Grey:
    """Return the pixels in 8 bits: by their own range, or stretched where they fill less than
    :data:`~models.image.recipe.WELL_FILLED` of it and 8 bits would show steps."""
    full = 2**scan.bits - 1
    if full == 255:
        return np.asarray(scan.pixels, np.uint8)
    black, white = 0, full
    if scan.bits > 8:
        low, high = recipe.grey_range(scan.pixels)
        if high - low < recipe.WELL_FILLED * full:
            black, white = low, max(high, low + 1)
    # What each grey level becomes, not each pixel.
    steps = np.arange(np.iinfo(scan.pixels.dtype).max + 1, dtype=np.float32)
    levels = np.clip(np.rint((steps - black) * (255 / (white - black))), 0, 255).astype(np.uint8)
    shown: Grey = levels[scan.pixels]
    return shown


def _encoded(grey: Grey) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(grey).save(buffer, "PNG", compress_type=zlib.Z_RLE)
    return buffer.getvalue()


def _believed(spacing: tuple[float, float] | None) -> tuple[float, float] | None:
    if spacing is None or not all(SPACING[0] <= one <= SPACING[1] for one in spacing):
        return None
    return spacing
