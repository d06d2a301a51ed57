"""Where the spine runs, how wide it is, and how evenly bright from level to level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.recipe import SIDE, Canonical

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


def ranked(values: Field, shares: tuple[float, ...]) -> list[float]:
    """Return the values that these shares of ``values`` do not exceed (nearest rank)."""
    places = [round(share * (values.size - 1)) for share in shares]
    return [float(v) for v in np.partition(values, places, axis=None)[places]]


def halved(image: Field) -> Field:
    """Return the means of 2×2 pixels, in a tenth of what ``mean`` over two axes takes."""
    rows = image[::2] + image[1::2]
    return np.asarray((rows[:, ::2] + rows[:, 1::2]) / 4, dtype=np.float32)


def running_mean(values: Field, width: int, axis: int) -> Field:
    """Return the mean over ``width`` (odd) neighbours along ``axis``, edges repeated."""
    reach = width // 2
    padding = [(0, 0)] * values.ndim
    padding[axis] = (reach + 1, reach)
    padded = np.moveaxis(np.pad(values, padding, mode="edge"), axis, 0)
    total = np.cumsum(padded, axis=0, dtype=np.float64)
    mean = (total[width:] - total[:-width]) / width
    return np.asarray(np.moveaxis(mean, 0, axis), dtype=np.float32)


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
        height = np.linspace(-1.0, 1.0, CELLS)[:, None]
        basis = np.concatenate([np.ones_like(height), height, height**2], axis=1)
        # Normal equations of three unknowns, far cheaper than lstsq.
        curve = np.linalg.solve(basis.T @ basis, basis.T @ found)
        fitted = basis @ curve
        centres = (np.arange(CELLS) + 0.5) * CELL - 0.5
        midline = np.interp(np.arange(SIDE), centres, (fitted + 0.5) * CELL - 0.5)
        midline = np.clip(midline, 0.0, SIDE - 1.0)
        padded = np.pad(image, ((0, 0), (REACH, REACH)))
        starts = np.rint(midline).astype(np.intp)[:, None]
        straight = padded[np.arange(SIDE)[:, None], starts + np.arange(2 * REACH + 1)]
        return cls(midline, straight, float(np.abs(found - fitted).mean()) * CELL)


def _bands(image: Field) -> Field:
    """Return (56, 56): how much brighter a spine's width around each cell is than its flanks.

    Cells are medians, which the thin lines of an overlay do not reach. Outside is black.
    """
    cells = image.reshape(CELLS, CELL, CELLS, CELL).swapaxes(1, 2).reshape(CELLS, CELLS, -1)
    levels = np.partition(cells, CELL * CELL // 2, axis=2)[..., CELL * CELL // 2]
    total = np.cumsum(np.pad(levels, ((0, 0), (17, 16))), axis=1, dtype=np.float64)
    wide = (total[:, 33:] - total[:, :-33]) / 33
    inner = (total[:, 33 - 8 : -8] - total[:, 8 : -33 + 8]) / 17
    return np.asarray(running_mean((inner - 0.5 * wide).astype(np.float32), 7, axis=0))


def _best_line(bands: Field) -> NDArray[np.float64]:
    """Return (56,): the columns of the straight line along which ``bands`` is highest."""
    middles = np.arange(CELLS)[:, None, None]
    leans = np.arange(-LEAN, LEAN + 1, 2)[None, :, None]
    height = np.linspace(-1.0, 1.0, CELLS)[::2]
    columns = middles + leans * height
    nearest = np.clip(np.rint(columns), 0, CELLS - 1).astype(np.intp)
    along = bands[np.arange(0, CELLS, 2), nearest].mean(2)
    middle, lean = np.unravel_index(int(along.argmax()), along.shape)
    best = float(middle) + (2.0 * float(lean) - LEAN) * np.linspace(-1.0, 1.0, CELLS)
    return np.asarray(best)


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
    """Return what position and evenness say; lengths as shares of the side, levels 0…1."""
    straight = course.straight
    across = straight.mean(0)
    bone = float(across[REACH - BODY : REACH + BODY + 1].mean())
    ground = ranked(across, (0.1,))[0]
    half = (bone + ground) / 2
    left, right = across[:REACH][::-1] < half, across[REACH + 1 :] < half
    sides = [int(side.argmax()) if side.any() else REACH for side in (left, right)]
    along = straight[:, REACH - BODY : REACH + BODY + 1].mean(1)
    level = running_mean(along, 33, axis=0)
    trend = running_mean(along, 121, axis=0)
    plates = running_mean(along, 5, axis=0) - level
    middle = float(course.midline.mean()) / SIDE - 0.5
    return {
        "off_middle": abs(middle),
        "off_edge": float(np.abs(course.midline / SIDE - 0.5).max()),
        "misfit": course.misfit / SIDE,
        "width": (sides[0] + sides[1]) / SIDE,
        "lopsided": abs(sides[0] - sides[1]) / SIDE,
        "contrast": bone - ground,
        "level_high": float((level - trend).max()),
        "level_low": float((trend - level).max()),
        "level_spread": float(level.std()),
        "plate_high": float(plates.max()),
        "plate_low": float(-plates.min()),
        "end_top": float(along[:20].mean() - along.mean()),
        "end_bottom": float(along[-20:].mean() - along.mean()),
    }
