"""Where the spine runs, and how far it stands above its ground."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from models.image.recipe import SIDE, Canonical

REACH: Final = 64
"""Pixels on either side of the midline that are looked at: a vertebra is 60–90 wide."""

BODY: Final = 20
"""Pixels on either side of the midline that are bone at every level."""

CELL: Final = 4
CELLS: Final = SIDE // CELL
"""The midline is looked for on cells of 4×4 pixels."""

LEAN: Final = 8
"""Cells by which the ends of the spine may stand off its middle, either side."""

STRAY: Final = 5
"""Cells by which a curved spine may leave the straight line through it."""

Field = NDArray[np.float32]

_HEIGHT: Final = np.linspace(-1.0, 1.0, CELLS)
_CENTRES: Final = (np.arange(CELLS) + 0.5) * CELL - 0.5
_LEANS: Final = np.arange(-LEAN, LEAN + 1, 2)


def _nearest_parabola() -> NDArray[np.float64]:
    """Return (56, 56), which makes of columns those of the parabola with the least squares."""
    basis = np.stack([np.ones(CELLS), _HEIGHT, _HEIGHT**2], axis=1)
    return np.asarray(basis @ np.linalg.pinv(basis))


def _band_filter() -> Field:
    """Return (56, 56): from a row of cells, 17 cells' mean less half of 33 cells' mean."""
    apart = np.abs(np.subtract.outer(np.arange(CELLS), np.arange(CELLS)))
    return np.asarray((apart <= 8) / 17 - 0.5 * (apart <= 16) / 33, dtype=np.float32)


def _even_filter() -> Field:
    """Return (56, 56): from a column of cells, the mean of 7, the outermost repeated."""
    rows = np.clip(np.arange(CELLS)[:, None] + np.arange(-3, 4), 0, CELLS - 1)
    return np.stack([(rows == row).mean(1) for row in range(CELLS)], axis=1).astype(np.float32)


def _line_places() -> NDArray[np.intp]:
    """Return (56, 9, 28): where in (56, 56) the cells of the line with a middle and lean lie."""
    rows = np.arange(0, CELLS, 2)
    columns = np.arange(CELLS)[:, None, None] + _LEANS[:, None] * _HEIGHT[rows]
    return rows * CELLS + np.clip(np.rint(columns), 0, CELLS - 1).astype(np.intp)


_PARABOLA: Final = _nearest_parabola()
_BAND: Final = _band_filter()
_EVEN: Final = _even_filter()
_LINES: Final = _line_places()


def ranked(values: Field, shares: tuple[float, ...]) -> list[float]:
    """Return the values that these shares of ``values`` do not exceed (nearest rank)."""
    places = [round(share * (values.size - 1)) for share in shares]
    return [float(v) for v in np.partition(values, places, axis=None)[places]]


def halved(image: Field) -> Field:
    """Return the means of 2×2 pixels, in a tenth of what ``mean`` over two axes takes."""
    rows = image[::2] + image[1::2]
    return np.asarray((rows[:, ::2] + rows[:, 1::2]) / 4, dtype=np.float32)


def windowed(values: Field, width: int) -> Field:
    """Return (n - width + 1, …): the sum of each ``width`` rows that follow one another.

    Rows are added whole. In a cumulative sum each waits for the one before: for a narrow window
    that takes thirty times as long.
    """
    count = len(values) - width + 1
    total = values[:count].copy()
    for first in range(1, width):
        total += values[first : first + count]
    return total


@dataclass(frozen=True, eq=False)
class Course:
    """``midline`` (224,): the spine's column in each row; ``straight`` (224, 129): the image with
    the midline laid upright, 0…1; ``misfit``: pixels by which rows stray from a smooth curve.
    """

    midline: NDArray[np.float64]
    straight: Field
    misfit: float

    @classmethod
    def of(cls, image: Field) -> Course:
        """Find the bright band about as wide as a spine, and a parabola along it."""
        bands = _bands(image)
        line = _best_line(bands)
        near = np.where(np.abs(np.arange(CELLS) - line[:, None]) <= STRAY, bands, -1.0)
        found = near.argmax(1).astype(np.float64)
        fitted = _PARABOLA @ found
        midline = np.interp(np.arange(SIDE), _CENTRES, (fitted + 0.5) * CELL - 0.5)
        midline = np.clip(midline, 0.0, SIDE - 1.0)
        padded = np.zeros((SIDE, SIDE + 2 * REACH), np.float32)
        padded[:, REACH:-REACH] = image
        starts = np.rint(midline).astype(np.intp)
        straight = sliding_window_view(padded, 2 * REACH + 1, axis=1)[np.arange(SIDE), starts]
        return cls(midline, straight, float(np.abs(found - fitted).mean()) * CELL)


def _bands(image: Field) -> Field:
    """Return (56, 56): how much brighter a spine's width around each cell is than its flanks.

    Cells are medians, which the thin lines of an overlay do not reach. Outside is black.
    """
    cells = image.reshape(CELLS, CELL, CELLS, CELL).swapaxes(1, 2).reshape(CELLS, CELLS, -1)
    levels = np.partition(cells, CELL * CELL // 2, axis=2)[..., CELL * CELL // 2]
    return np.asarray(_EVEN @ (levels @ _BAND), dtype=np.float32)


def _best_line(bands: Field) -> NDArray[np.float64]:
    """Return (56,): the columns of the straight line along which ``bands`` is highest."""
    along = bands.ravel().take(_LINES).mean(2)
    middle, lean = np.unravel_index(int(along.argmax()), along.shape)
    return np.asarray(float(middle) + _LEANS[lean] * _HEIGHT)


def centred(canonical: Canonical) -> Canonical:
    """Return ``canonical`` moved sideways until its spine runs down the middle.

    What comes in from beyond the field is as dark as the darkest tenth of the image.
    """
    course = Course.of(canonical.astype(np.float32) / np.float32(255))
    columns = np.arange(SIDE) + round(float(course.midline.mean()) - (SIDE - 1) / 2)
    moved = canonical[:, np.clip(columns, 0, SIDE - 1)].copy()
    dark = np.partition(canonical, canonical.size // 10, axis=None)[canonical.size // 10]
    moved[:, (columns < 0) | (columns >= SIDE)] = dark
    return moved


def measure(course: Course) -> dict[str, float]:
    """Return what position and brightness say; lengths as shares of the side, levels 0…1."""
    straight = course.straight
    across = straight.mean(0)
    bone = float(across[REACH - BODY : REACH + BODY + 1].mean())
    ground = ranked(across, (0.1,))[0]
    half = (bone + ground) / 2
    left, right = across[:REACH][::-1] < half, across[REACH + 1 :] < half
    sides = [int(side.argmax()) if side.any() else REACH for side in (left, right)]
    middle = float(course.midline.mean()) / SIDE - 0.5
    return {
        "off_middle": abs(middle),
        "off_edge": float(np.abs(course.midline / SIDE - 0.5).max()),
        "misfit": course.misfit / SIDE,
        "lopsided": abs(sides[0] - sides[1]) / SIDE,
        "contrast": bone - ground,
    }
