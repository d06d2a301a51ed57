"""The outlines of L1–L4 that a densitometer drew into its export, as labels.

Scanners draw the region of interest in yellow: a box, lines between vertebrae, the edge of the
bone, the levels' names. Checked by a technologist, they say where each vertebra lies
(domain.md §2.5).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from models.image.recipe import SIDE
from models.image.scan import Scan
from models.vertebrae.geometry import LEVELS

YELLOW: Final = 10
"""Grey levels by which the lesser of red and green exceeds blue in a drawn line."""

CLOSINGS: Final = (5, 7, 9)
"""Pixels of the gaps in a drawn line that are closed, tried in turn until four levels appear."""

MIDDLE: Final = 0.22
"""Share of the box's width, either side of its middle, in which a vertebra's centre lies."""

LOWEST: Final = 18
"""Pixels that a level is high at least; lower pieces are parts of the level beside them."""

UNEVEN: Final = (0.6, 1.45)
"""A level's width over the median one. Beyond, its outline has a hole and soft tissue came in."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """``clean`` (224, 224) uint8 without the lines, ``levels`` (224, 224) uint8: 1–4 in L1–L4;
    ``ink`` (224, 224) bool: the middle of the lines and letters.

    On 110 public scans the ink around a vertebra lies 1.7 pixels outside the outermost ones of
    ``levels``: compression widens its colour, which is taken away whole.
    """

    clean: NDArray[np.uint8]
    levels: NDArray[np.uint8]
    ink: NDArray[np.bool_]


def read(path: Path, scan: Scan) -> Drawn | None:
    """Return what is drawn into the image at ``path``, None where four levels cannot be told.

    ``scan`` is what was read of it: a DICOM file's lines have no colour that this could find.
    """
    if scan.format == "dicom":
        return None
    with Image.open(path) as opened:
        image = opened.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    channels = np.asarray(image, np.int16)
    yellow = np.minimum(channels[..., 0], channels[..., 1]) - channels[..., 2]
    lines = yellow > YELLOW
    if not lines.any():
        return None
    levels = _levels(lines)
    if levels is None:
        return None
    clean = inpainted(np.asarray(image.convert("L")), _grown(lines))
    return Drawn(clean, levels, lines & _ridge(yellow.astype(np.float32)))


def inpainted(image: NDArray[np.uint8], hidden: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return ``image`` with ``hidden`` pixels filled from the nearest others, then smoothed in."""
    nearest = ndimage.distance_transform_edt(hidden, return_distances=False, return_indices=True)
    filled = image[tuple(nearest)].astype(np.float32)
    weight = (~hidden).astype(np.float32)
    near = ndimage.gaussian_filter(image * weight, 2.0)
    share = ndimage.gaussian_filter(weight, 2.0)
    smooth = np.where(share > 0.05, near / np.maximum(share, 0.05), filled)
    whole: NDArray[np.uint8] = np.where(hidden, np.rint(smooth), image).astype(np.uint8)
    return whole


def _ridge(colour: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return where ``colour`` is the most across a line: down or sideways among five pixels."""
    strong = colour >= 0.5 * ndimage.maximum_filter(colour, 5)
    smooth = ndimage.gaussian_filter(colour, 0.7)
    tops = [smooth >= ndimage.maximum_filter1d(smooth, 5, axis=axis) for axis in (0, 1)]
    return np.asarray(strong & (tops[0] | tops[1]))


def _levels(lines: NDArray[np.bool_]) -> NDArray[np.uint8] | None:
    rows, columns = np.nonzero(lines)
    box = (rows.min(), columns.min(), rows.max(), columns.max())
    for size in CLOSINGS:
        closed = ndimage.binary_closing(np.pad(lines, size), np.ones((size, size)), border_value=0)[
            size:-size, size:-size
        ]
        pieces, _ = ndimage.label(~closed)
        whole, parts = _inside(pieces, box)
        if len(whole) == len(LEVELS):
            break
    else:
        return None
    levels = np.zeros(lines.shape, np.uint8)
    spans = []
    for number, piece in enumerate(whole, start=1):
        levels[pieces == piece] = number
        spans.append(np.flatnonzero((pieces == piece).any(1))[[0, -1]])
    for piece in parts:
        middle = np.flatnonzero((pieces == piece).any(1)).mean()
        apart = [np.abs(span - middle).min() for span in spans]
        levels[pieces == piece] = 1 + int(np.argmin(apart))
    widths = [np.ptp(np.nonzero(levels == n)[1]) + 1 for n in range(1, len(LEVELS) + 1)]
    low, high = (limit * float(np.median(widths)) for limit in UNEVEN)
    if min(widths) < low or max(widths) > high:
        return None
    # The lines themselves belong to the bone that they bound.
    bone = ndimage.binary_closing(levels > 0, np.ones((7, 7))) | _grown(levels > 0)
    distances = np.stack(
        [ndimage.distance_transform_edt(levels != n) for n in range(1, len(LEVELS) + 1)]
    )
    return np.where(bone, distances.argmin(0) + 1, 0).astype(np.uint8)


def _inside(
    pieces: NDArray[np.int32], box: tuple[int, int, int, int]
) -> tuple[list[int], list[int]]:
    """Return the pieces in the middle of the box, from the top: those of a vertebra's height, and
    the lower ones."""
    top, left, bottom, right = box
    whole: list[tuple[int, int]] = []
    parts: list[tuple[int, int]] = []
    for number, where in enumerate(ndimage.find_objects(pieces), start=1):
        down, across = where
        inside = (
            down.start >= top
            and down.stop <= bottom + 2
            and across.start > left
            and across.stop <= right
            and across.stop - across.start < 0.75 * (right - left)
        )
        area = int(np.count_nonzero(pieces[where] == number))
        if not inside or area < 60:
            continue
        centre = float(np.nonzero(pieces[where] == number)[1].mean()) + across.start
        if abs(centre - (left + right) / 2) > MIDDLE * (right - left):
            continue
        high = down.stop - down.start >= LOWEST and area > 500
        (whole if high else parts).append((down.start, number))
    return [n for _, n in sorted(whole)], [n for _, n in sorted(parts)]


def _grown(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.asarray(ndimage.binary_dilation(mask, np.ones((3, 3))))
