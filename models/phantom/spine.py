"""Where the vertebrae lie: centres, tilts, sizes, and which pixel belongs to which.

Levels are indexed as in ``LEVELS``: ``FIRST`` is L1, the next three L2–L4, the last L5. Lengths are
millimetres, x to the right, y down, from the middle of the field; tilts are radians, positive when
the spine runs to the right on its way down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.phantom.field import Field
from models.phantom.nuisance import Nuisance
from models.phantom.person import Person
from models.phantom.reference import DISCS, FRACTURE_AREA, HEIGHTS, LEVELS, MALE_EXTRA_WIDTH, WIDTHS

FIRST: Final = 4
"""Index of L1 among the levels."""
NO_VERTEBRA: Final = 0
OTHER_VERTEBRA: Final = 5
"""Vertebrae above L1, and L5, in the mask; L1–L4 are 1–4."""
KNOTS: Final = 25


@dataclass(frozen=True, eq=False)
class Grid:
    """The pixels of one field of view: ``x`` (1, columns) and ``y`` (rows, 1) in millimetres."""

    x: Field
    y: Field
    spacing: float

    @classmethod
    def draw(cls, rng: np.random.Generator, nuisance: Nuisance) -> Grid:
        spacing = float(rng.uniform(*nuisance.spacing))
        columns = round(rng.uniform(*nuisance.field_width) / spacing)
        rows = round(rng.uniform(*nuisance.field_height) / spacing)
        x = (np.arange(columns, dtype=np.float32) - (columns - 1) / 2.0) * spacing
        y = (np.arange(rows, dtype=np.float32) - (rows - 1) / 2.0) * spacing
        return cls(x[None, :].astype(np.float32), y[:, None].astype(np.float32), spacing)

    @property
    def shape(self) -> tuple[int, int]:
        return self.y.shape[0], self.x.shape[1]

    @property
    def pixel_area(self) -> float:
        """In cm²."""
        return self.spacing**2 / 100.0

    def column(self, x: float) -> float:
        return x / self.spacing + (self.shape[1] - 1) / 2.0

    def row(self, y: float) -> float:
        return y / self.spacing + (self.shape[0] - 1) / 2.0

    def window(self, x: float, y: float, reach_x: float, reach_y: float) -> tuple[slice, slice]:
        """Return the rows and columns within reach of a point; empty when outside the field."""
        rows, columns = self.shape
        top, bottom = self.row(y - reach_y), self.row(y + reach_y)
        left, right = self.column(x - reach_x), self.column(x + reach_x)
        return (
            slice(int(np.clip(top, 0, rows)), int(np.clip(bottom + 1, 0, rows))),
            slice(int(np.clip(left, 0, columns)), int(np.clip(right + 1, 0, columns))),
        )


@dataclass(frozen=True, eq=False)
class Spine:
    """The bones of one image before any density: arrays run over ``LEVELS``.

    ``outline`` is (level, side, knot): half width as a share of ``widths``/2, left then right,
    along the pitch from the upper to the lower boundary.
    ``boundaries`` is (level + 1, 3): x, y and tilt of the line above each level and below the last.
    """

    centres: NDArray[np.float64]
    tilts: NDArray[np.float64]
    widths: NDArray[np.float64]
    heights: NDArray[np.float64]
    discs: NDArray[np.float64]
    outline: NDArray[np.float64]
    boundaries: NDArray[np.float64]

    def local(self, level: int, grid: Grid, window: tuple[slice, slice]) -> tuple[Field, Field]:
        """Return millimetres across and along the level's own axis for the window's pixels."""
        x = grid.x[:, window[1]] - np.float32(self.centres[level, 0])
        y = grid.y[window[0]] - np.float32(self.centres[level, 1])
        sine, cosine = np.float32(np.sin(self.tilts[level])), np.float32(np.cos(self.tilts[level]))
        return x * cosine - y * sine, x * sine + y * cosine

    def extent(self, level: int) -> tuple[float, float]:
        """Return how far the level's share of the spine reaches above and below its centre."""
        above = self.discs[level - 1] if level else self.discs[0]
        half = self.heights[level] / 2.0
        return float(half + above / 2.0), float(half + self.discs[level] / 2.0)

    def half_widths(self, level: int, along: Field) -> tuple[Field, Field]:
        """Return the outline's distance from the axis, left and right, at each ``along``."""
        above, below = self.extent(level)
        knots = np.linspace(-above, below, KNOTS)
        scale = self.widths[level] / 2.0
        left, right = (np.interp(along, knots, side) * scale for side in self.outline[level])
        return left.astype(np.float32), right.astype(np.float32)

    def mask(self, grid: Grid) -> NDArray[np.uint8]:
        """Return 1–4 for pixels of L1–L4, 5 for the other vertebrae, 0 elsewhere."""
        mask = np.zeros(grid.shape, np.uint8)
        for level in range(len(LEVELS)):
            above, below = self.extent(level)
            reach = float(self.widths[level]) * 0.75
            x, y = (float(value) for value in self.centres[level])
            window = grid.window(x, y, reach, max(above, below) + 8.0)
            across, along = self.local(level, grid, window)
            left, right = self.half_widths(level, along)
            inside = (across > -left) & (across < right)
            inside &= self._below(level, grid, window) & ~self._below(level + 1, grid, window)
            code = level - FIRST + 1 if FIRST <= level < FIRST + 4 else OTHER_VERTEBRA
            mask[window][inside] = code
        return mask

    def _below(self, boundary: int, grid: Grid, window: tuple[slice, slice]) -> NDArray[np.bool_]:
        x, y, tilt = self.boundaries[boundary]
        across = (grid.x[:, window[1]] - np.float32(x)) * np.float32(np.sin(tilt))
        return np.asarray(
            across + (grid.y[window[0]] - np.float32(y)) * np.float32(np.cos(tilt)) > 0
        )


@dataclass(frozen=True)
class Pose:
    """How a person lies: degrees and millimetres. ``curvature`` is L4's tilt less that of L1."""

    curvature: float
    tilt: float
    offset: tuple[float, float]

    @classmethod
    def draw(cls, rng: np.random.Generator, nuisance: Nuisance) -> Pose:
        side = 1.0 if rng.random() < 0.5 else -1.0
        return cls(
            curvature=side * float(rng.uniform(*nuisance.curvature)),
            tilt=float(rng.uniform(*nuisance.tilt)),
            offset=(float(rng.uniform(*nuisance.offset)), float(rng.uniform(*nuisance.offset))),
        )


def lay(person: Person, pose: Pose, fractured: int | None = None) -> Spine:
    """Lay the person's spine along an arc; ``fractured`` names a level that has lost height."""
    rng = np.random.default_rng([person.seed, 1])
    widths = np.array(WIDTHS) + (MALE_EXTRA_WIDTH if person.sex == "male" else 0.0)
    widths = widths * person.stature * np.exp(rng.normal(0.0, 0.03))
    heights = np.array(HEIGHTS) * person.stature * np.exp(rng.normal(0.0, 0.015, len(LEVELS)))
    discs = np.array(DISCS) * person.stature * np.exp(rng.normal(0.0, 0.10, len(LEVELS)))
    outline = _outline(rng)
    if fractured is not None:
        pitch = heights[fractured] + (discs[fractured - 1] + discs[fractured]) / 2.0
        heights[fractured] -= (1.0 - FRACTURE_AREA) * pitch
    # The tilt changes evenly from L1 to L4, which makes the axis a circle's arc, and less beyond.
    steps = np.clip(np.arange(len(LEVELS)) - FIRST - 1.5, -2.2, 2.2) / 3.0
    tilts = np.deg2rad(pose.tilt + pose.curvature * steps)
    joints = np.array([[0.0, 0.0, tilts[0]]])
    centres = np.zeros((len(LEVELS), 2))
    for level in range(len(LEVELS)):
        half = heights[level] / 2.0
        direction = np.array([np.sin(tilts[level]), np.cos(tilts[level])])
        centres[level] = joints[-1, :2] + direction * (half + discs[max(level - 1, 0)] / 2.0)
        after = tilts[min(level + 1, len(LEVELS) - 1)]
        joint = centres[level] + direction * (half + discs[level] / 2.0)
        joints = np.vstack([joints, [*joint, (tilts[level] + after) / 2.0]])
    middle = (joints[FIRST, :2] + joints[FIRST + 4, :2]) / 2.0
    shift = np.array(pose.offset) - middle
    joints[:, :2] += shift
    return Spine(centres + shift, tilts, widths, heights, discs, outline, joints)


def _outline(rng: np.random.Generator) -> NDArray[np.float64]:
    """Return outlines that bulge at the pedicles and are notched at the discs, no two alike."""
    along = np.linspace(0.0, 1.0, KNOTS)
    typical = np.interp(along, np.linspace(0.0, 1.0, 7), (0.79, 0.94, 1.0, 0.96, 0.91, 0.91, 0.80))
    shape = (len(LEVELS), 2)
    outline = typical * (1.0 + rng.normal(0.0, 0.02, (*shape, 1)))
    # Roots of the transverse processes and rough edges, as an edge detector follows them.
    root = rng.uniform(0.3, 0.65, (*shape, 1))
    size = np.maximum(rng.normal(0.02, 0.035, (*shape, 1)), 0.0)
    outline = outline + size * np.exp(-0.5 * ((along - root) / 0.06) ** 2)
    outline += rng.normal(0.0, 0.012, (*shape, KNOTS))
    # L4 flares towards the pelvis; beyond L5 there is the sacrum.
    outline[FIRST + 3] += np.maximum(along - 0.7, 0.0) * rng.uniform(0.1, 0.6)
    outline[FIRST + 4 :] += 0.03
    # The outline runs on across a boundary, up to the step in width between the two levels.
    joined = (outline[:-1, :, -1] + outline[1:, :, 0]) / 2.0
    outline[:-1, :, -1] = joined
    outline[1:, :, 0] = joined
    return np.asarray(outline, dtype=np.float64)
