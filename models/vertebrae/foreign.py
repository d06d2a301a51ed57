"""Whether something that is no bone lies in or near the column: a button, a clip, a ring, metal.

Such things are as bright as the brightest bone or brighter, and end within a pixel or two. Bone
fades, and so does contrast medium, which this does not find.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from models.image.recipe import SIDE, Canonical
from models.vertebrae.geometry import Point, Spine
from models.vertebrae.morphology import opened
from models.vertebrae.tissue import FLOOR

AROUND: Final = 1.8
"""Widths of the column within which is looked."""

BRIGHT: Final = 95.0
"""Percentile of bone that both sides of a step's upper end reach."""

STEP: Final = 2
"""Pixels on either side of an edge at which its upper and its lower end are read."""

LONG: Final = 8
"""Pixels of edge that are higher still: fewer are a corner of bone."""

NEAR, FAR = 4, 22
"""Frame pixels beside the column between which tissue is soft tissue."""

DIRECTIONS: Final = tuple(
    (down, right) for down in (-1, 0, 1) for right in (-1, 0, 1) if (down, right) != (0, 0)
)

Mask = NDArray[np.bool_]


def edge(framed: Canonical, graphics: Mask, spine: Spine) -> float:
    """Return how high the steepest bright edges in or near the column are, in units of how far bone
    stands above soft tissue: of its own edges most are under 1.

    ``framed`` is the whole image, (224, 224) uint8, with the ``graphics`` that lie on it;
    ``spine`` is what was found in it. Strokes are taken away where graphics are, and nothing that
    is wider, which may be what is looked for. A step's ends are the darkest of 3×3 pixels on its
    bright side and the brightest on its dark one, so that lines and letters that were not seen have
    none either. The :data:`LONG` highest places are passed over.
    """
    column = _filled([level.outline for level in spine.levels])
    plain = ~graphics
    bone, soft = framed[column & plain], framed[_beside(column) & plain]
    if not bone.size or not soft.size:
        return 0.0
    raised = max(float(np.median(bone)) - float(np.median(soft)), FLOOR)
    least = float(np.percentile(bone, BRIGHT))
    levels = np.where(graphics, opened(framed), framed).astype(np.int16)
    darkest, brightest = _around(np.minimum, levels), _around(np.maximum, levels)
    rows, columns = _area(spine)
    highest = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.int16)
    for down, right in DIRECTIONS:
        upper = _moved(darkest, rows, columns, STEP * down, STEP * right)
        lower = _moved(brightest, rows, columns, -STEP * down, -STEP * right)
        np.maximum(highest, np.where(upper >= least, upper - lower, 0), out=highest)
    if highest.size <= LONG:
        return 0.0
    return float(np.partition(highest.ravel(), -LONG - 1)[-LONG - 1]) / raised


def _area(spine: Spine) -> tuple[slice, slice]:
    rim = STEP + 1
    half = AROUND * spine.width / 2
    middle = float(np.mean([level.centre[0] for level in spine.levels]))
    top = spine.levels[0].centre[1] - spine.pitch
    bottom = spine.levels[-1].centre[1] + spine.pitch
    first_row, first_column = max(rim, int(top)), max(rim, int(middle - half))
    return (
        slice(first_row, max(first_row, min(SIDE - rim, int(bottom)))),
        slice(first_column, max(first_column, min(SIDE - rim, int(middle + half)))),
    )


def _around(extreme: np.ufunc, levels: NDArray[np.int16]) -> NDArray[np.int16]:
    """Return the extreme of 3×3 pixels; those at the rim are left as they are."""
    found = levels.copy()
    found[1:-1] = extreme(extreme(levels[:-2], levels[2:]), levels[1:-1])
    rows = found.copy()
    found[:, 1:-1] = extreme(extreme(rows[:, :-2], rows[:, 2:]), rows[:, 1:-1])
    return found


def _moved(
    image: NDArray[np.int16], rows: slice, columns: slice, down: int, right: int
) -> NDArray[np.int16]:
    return image[rows.start + down : rows.stop + down, columns.start + right : columns.stop + right]


def _filled(outlines: Sequence[Sequence[Point]]) -> Mask:
    drawn = Image.new("1", (SIDE, SIDE))
    pen = ImageDraw.Draw(drawn)
    for outline in outlines:
        pen.polygon([(x - 0.5, y - 0.5) for x, y in outline], fill=1)
    return np.asarray(drawn, bool)


def _beside(column: Mask) -> Mask:
    """Return the bands of soft tissue on both sides of ``column``, at its height."""
    rows = np.flatnonzero(column.any(1))
    left = column[rows].argmax(1)[:, None]
    right = SIDE - 1 - column[rows, ::-1].argmax(1)[:, None]
    across = np.arange(SIDE)
    apart = np.maximum(left - across, across - right)
    bands = np.zeros_like(column)
    bands[rows] = (apart > NEAR) & (apart < FAR)
    return bands
