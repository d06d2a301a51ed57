"""A sheet of scans beside their copies, with the outlines that were found on each, as a PNG."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from models import phantom
from models.dataset.drawn import Drawn
from models.dataset.graphics import edge
from models.image.recipe import SIDE
from models.image.scan import Scan
from models.inference.preparation import Outline, Prepared, prepare
from models.phantom import Artefact

SEED: Final = 19
OUT: Final = 2
"""Pixels of a frame outside the bone at which a scanner draws, rounded up from 1.7."""

INK: Final = 226
ACROSS: Final = 3
"""Pairs in a row."""

HEAD: Final = 34
GAP: Final = 6
OUTLINE: Final = (0, 200, 255)
COLOURS: Final = 64
"""Of the PNG's palette: enough for grey levels beside one colour."""


@dataclass(frozen=True)
class Pair:
    kind: str
    scan: Scan
    copy: Scan


def lined() -> tuple[Scan, Drawn]:
    """Return a phantom with lines as scanners draw them, and what is drawn on it."""
    drawn = phantom.draw(np.random.default_rng(SEED), artefact=Artefact.NONE, overlay=False)
    size = (SIDE, SIDE)
    clean = np.asarray(Image.fromarray(drawn.image).resize(size, Image.Resampling.BILINEAR))
    levels = np.where(drawn.vertebrae <= 4, drawn.vertebrae, 0).astype(np.uint8)
    levels = np.asarray(Image.fromarray(levels).resize(size, Image.Resampling.NEAREST))
    column = levels > 0
    grown = ndimage.binary_dilation(column, iterations=OUT)
    rim = grown & ~ndimage.binary_dilation(column, iterations=OUT - 1)
    between = edge(levels) & ndimage.binary_erosion(column)
    ink = np.asarray(rim | between)
    image = np.where(ink, INK, clean).astype(np.uint8)
    return Scan(image, 8, "png"), Drawn(clean, levels, ink)


def sheet(pairs: Sequence[Pair], outline: Outline) -> bytes:
    """Return each pair beside each other, under its kind and how much wider the column was found
    for its height."""
    rows = -(-len(pairs) // ACROSS)
    wide, high = 2 * SIDE + 2 * GAP, SIDE + HEAD + GAP
    picture = Image.new("RGB", (ACROSS * wide, rows * high), "white")
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(size=13)
    for number, pair in enumerate(pairs):
        left, top = number % ACROSS * wide, number // ACROSS * high
        scan, copy = prepare([pair.scan, pair.copy], outline)
        pen.text((left + 2, top + 1), pair.kind, fill="black", font=font)
        pen.text((left + 2, top + 16), _told(scan, copy), fill="black", font=font)
        for place, one in enumerate((scan, copy)):
            picture.paste(_outlined(one), (left + place * (SIDE + 2), top + HEAD))
    buffer = io.BytesIO()
    picture.quantize(COLOURS).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _told(scan: Prepared, copy: Prepared) -> str:
    one, other = scan.outlined.spine, copy.outlined.spine
    if one is None or other is None:
        return "no spine was found"
    change = (other.width / other.pitch) / (one.width / one.pitch) - 1
    return f"width for height {change:+.1%}, tilt {other.tilt - one.tilt:+.1f}°"


def _outlined(prepared: Prepared) -> Image.Image:
    picture = Image.fromarray(prepared.frame).convert("RGB")
    pen, spine = ImageDraw.Draw(picture), prepared.outlined.spine
    for level in () if spine is None else spine.levels:
        pen.line([*level.outline, level.outline[0]], fill=OUTLINE, width=1)
    return picture
