"""Where a lumbar spine lies in an image: levels, their pitch, width and tilt, and the map to the
canonical image.

Coordinates are pixels of an image with the origin at the top left corner of its top left pixel, x
to the right, y down. Angles are degrees, positive when the upper end leans to the image's right.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

LevelName = Literal["L1", "L2", "L3", "L4"]
LEVELS: Final[tuple[LevelName, ...]] = get_args(LevelName)

FEWEST: Final = 3
"""Levels without which neither pitch nor place of the column is known."""

Point = tuple[float, float]
Sides = tuple[tuple[Point, ...], tuple[Point, ...]]
"""The left and the right rim of the column as points from the top: one vertebra further than L1–L4
at either end, as far as it is seen; both empty where they are not known."""

UNKNOWN: Final[Sides] = ((), ())


@dataclass(frozen=True)
class Level:
    """One vertebra as the network outlined it.

    ``outline`` is a closed polygon, ``centre`` its centroid and ``area`` in square pixels;
    ``confidence`` (0…1) is the mean probability of this level over the outlined pixels.
    """

    level: LevelName
    outline: tuple[Point, ...]
    centre: Point
    area: float
    confidence: float

    def scaled(self, x: float, y: float) -> Level:
        """Return the level in an image that is ``x`` times as wide and ``y`` times as high."""
        return Level(
            self.level,
            tuple((px * x, py * y) for px, py in self.outline),
            (self.centre[0] * x, self.centre[1] * y),
            self.area * x * y,
            self.confidence,
        )

    def moved(self, x: float, y: float) -> Level:
        """Return the level ``x`` pixels further right and ``y`` further down."""
        return replace(
            self,
            outline=tuple((px + x, py + y) for px, py in self.outline),
            centre=(self.centre[0] + x, self.centre[1] + y),
        )


@dataclass(frozen=True)
class Spine:
    """L1–L4 as far as they were found, from the top; at least :data:`FEWEST`.

    Raises ValueError for fewer, or when the levels do not follow each other downwards.
    """

    levels: tuple[Level, ...]
    sides: Sides = UNKNOWN

    def __post_init__(self) -> None:
        if len(self.levels) < FEWEST:
            raise ValueError(f"{len(self.levels)} levels; {FEWEST} to {len(LEVELS)} are a spine")
        if self._step[1] <= 0:
            raise ValueError("the levels do not follow each other from the top downwards")

    @property
    def _indices(self) -> NDArray[np.float64]:
        return np.array([LEVELS.index(level.level) for level in self.levels], float)

    @property
    def _line(self) -> NDArray[np.float64]:
        """(2, 2): the centres' least-squares line over the level's index, slope then intercept."""
        centres = np.array([level.centre for level in self.levels])
        return np.asarray(np.polyfit(self._indices, centres, 1))

    @property
    def _step(self) -> NDArray[np.float64]:
        return np.asarray(self._line[0])

    @property
    def pitch(self) -> float:
        """Pixels from one vertebra's centre to the next."""
        return float(np.hypot(*self._step))

    @property
    def width(self) -> float:
        """Mean width of the vertebrae in pixels: their area over their share of the column."""
        mean = sum(level.area for level in self.levels) / len(self.levels)
        return mean / self.pitch

    @property
    def centre(self) -> Point:
        """The middle of L1–L4, where L2 meets L3."""
        x, y = self._line[0] * (len(LEVELS) - 1) / 2 + self._line[1]
        return float(x), float(y)

    @property
    def tilt(self) -> float:
        """Degrees by which the column's regression line leans."""
        x, y = self._step
        return math.degrees(math.atan2(-x, y))

    @property
    def axis_tilt(self) -> float:
        """Degrees of the line through the first and the last level's centres (domain.md §2.2)."""
        (x0, y0), (x1, y1) = self.levels[0].centre, self.levels[-1].centre
        return math.degrees(math.atan2(x0 - x1, y1 - y0))

    @classmethod
    def of(cls, levels: NDArray[np.uint8]) -> Spine:
        """Return the spine whose levels are the pixels 1–4 of ``levels``, without outlines.

        Raises ValueError as the class does.
        """
        found = []
        for number, name in enumerate(LEVELS, start=1):
            rows, columns = np.nonzero(levels == number)
            if rows.size:
                centre = (float(columns.mean() + 0.5), float(rows.mean() + 0.5))
                found.append(Level(name, (), centre, float(rows.size), 1.0))
        return cls(tuple(found))

    def scaled(self, x: float, y: float) -> Spine:
        """Return the spine in an image that is ``x`` times as wide and ``y`` times as high."""
        left, right = (tuple((px * x, py * y) for px, py in side) for side in self.sides)
        return Spine(tuple(level.scaled(x, y) for level in self.levels), (left, right))

    def moved(self, x: float, y: float) -> Spine:
        """Return the spine ``x`` pixels further right and ``y`` further down."""
        left, right = (tuple((px + x, py + y) for px, py in side) for side in self.sides)
        return Spine(tuple(level.moved(x, y) for level in self.levels), (left, right))


@dataclass(frozen=True, eq=False)
class Outlined:
    """What was found in a frame: the spine, None for fewer than :data:`FEWEST` levels, and
    ``graphics`` (224, 224) bool, the pixels of lines, letters and borders drawn on the image."""

    spine: Spine | None
    graphics: NDArray[np.bool_]


@dataclass(frozen=True)
class Placement:
    """The similarity with two scales that lays a spine upright into the canonical image.

    ``pitch`` and ``width`` are the canonical ones, in canonical pixels.
    """

    spine: Spine
    pitch: float
    width: float
    side: int

    @property
    def across(self) -> float:
        """Source pixels a canonical pixel, across the spine."""
        return self.spine.width / self.width

    @property
    def along(self) -> float:
        """Source pixels a canonical pixel, along the spine."""
        return self.spine.pitch / self.pitch

    @property
    def matrix(self) -> NDArray[np.float64]:
        """(2, 3): canonical (u, v, 1) → source (x, y)."""
        angle = math.radians(self.spine.tilt)
        cosine, sine = math.cos(angle), math.sin(angle)
        # Down along the spine is (-sine, cosine); to its right, as seen, (cosine, sine).
        linear = np.array(
            [[cosine * self.across, -sine * self.along], [sine * self.across, cosine * self.along]]
        )
        middle = np.full(2, self.side / 2)
        return np.column_stack([linear, np.array(self.spine.centre) - linear @ middle])

    def to_canonical(self, points: Sequence[Point]) -> NDArray[np.float64]:
        """Return (n, 2): where ``points`` of the source lie in the canonical image."""
        matrix = self.matrix
        moved = np.asarray(points, float).reshape(-1, 2) - matrix[:, 2]
        return np.asarray(moved @ np.linalg.inv(matrix[:, :2]).T)
