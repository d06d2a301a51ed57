"""The region of interest as scanners draw it into their exports."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from models.phantom.reference import VERTEBRAE, Vendor
from models.phantom.spine import FIRST, Grid, Spine

INK = 255


@dataclass(frozen=True)
class Box:
    """Distances in mm from the spine to the sides of the box; ``frame`` rims the whole image."""

    left: float
    right: float
    frame: bool

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Box:
        left, right = (float(side) for side in rng.uniform(32.0, 62.0, 2))
        return cls(left, right, bool(rng.random() < 0.3))


def draw_overlay(
    image: NDArray[np.uint8],
    regions: NDArray[np.bool_],
    spine: Spine,
    grid: Grid,
    *,
    vendor: Vendor,
    box: Box,
) -> NDArray[np.uint8]:
    """Return ``image`` with bone edge, vertebra lines and labels burned in.

    Hologic draws a closed box with labels at its left; GE Lunar lines alone, labels on the right.
    """
    drawn = np.where(_edge(regions), np.maximum(image, 225), image).astype(np.uint8)
    picture = Image.fromarray(drawn)
    pen = ImageDraw.Draw(picture)
    rows, columns = grid.shape
    middle = float(spine.centres[FIRST : FIRST + 4, 0].mean())
    left = max(grid.column(middle - box.left), 2.0)
    right = min(grid.column(middle + box.right), columns - 3.0)
    lines = []
    for x, y, tilt in spine.boundaries[FIRST : FIRST + 5]:
        slope = -np.tan(tilt)
        at_left = grid.row(y) + slope * (left - grid.column(x))
        at_right = grid.row(y) + slope * (right - grid.column(x))
        lines.append((float(at_left), float(at_right)))
        pen.line([(left, at_left), (right, at_right)], fill=INK, width=1)
    if vendor == "hologic":
        for x, side in ((left, 0), (right, 1)):
            pen.line([(x, lines[0][side]), (x, lines[-1][side])], fill=INK, width=1)
    font = ImageFont.load_default(size=max(9.0, rows / 36.0))
    for name, (at_left, at_right) in zip(VERTEBRAE, lines[:-1], strict=True):
        at = (left + 3, at_left + 2) if vendor == "hologic" else (right - 16, at_right + 3)
        if vendor == "hologic":
            pen.rectangle(pen.textbbox(at, name, font=font), fill=0)
        pen.text(at, name, fill=INK, font=font)
    if box.frame:
        pen.rectangle([(0, 0), (columns - 1, rows - 1)], outline=INK)
    return np.asarray(picture, dtype=np.uint8)


def _edge(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    padded = np.pad(mask, 1)
    inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return np.asarray(mask & ~inner)
