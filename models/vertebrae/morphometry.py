"""Six-point morphometry of vertebrae seen from the side: heights, and what of them is lost.

Each vertebra has six points: the front end, the middle and the back end of its upper and of its
lower end plate. Its heights ha, hm and hp are the distances of the two front, middle and back
points. Of them follow (Eastell et al., J Bone Miner Res 1991; Guglielmi et al., Eur Radiol 2008)

::

    front loss   1 − ha / h        h: hp, or where hp is too low itself, that of the back loss
    middle loss  1 − hm / h
    back loss    1 − hp / mean hp of the nearest sound vertebra above and the nearest below

and the grade by the greatest of the three, after Genant et al. (J Bone Miner Res 1993): under 20 %
is grade 0, to 25 % grade 1, to 40 % grade 2, above grade 3 (domain.md §2.7). The shape is *crush*
where the back is too low, else *wedge* or *biconcave* by which of front and middle lost more.

The standard library alone: the front computes it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from models.vertebrae.geometry import Point

LateralLevel = Literal[
    "T4", "T5", "T6", "T7", "T8", "T9", "T10", "T11", "T12", "L1", "L2", "L3", "L4"
]
LATERAL_LEVELS: Final[tuple[LateralLevel, ...]] = get_args(LateralLevel)
"""What a lateral image of VFA shows, from the top."""

Shape = Literal["wedge", "biconcave", "crush"]
Grade = Literal[0, 1, 2, 3]

MILD: Final = 0.20
MODERATE: Final = 0.25
SEVERE: Final = 0.40
"""Losses: from the first on grade 1, above the second grade 2, above the third grade 3."""

EXACT: Final = 1e-9
"""Of a loss, below which a difference is one of rounding."""


@dataclass(frozen=True)
class SixPoints:
    """End plates from front to back, in one unit both ways, y downwards.

    Raises ValueError where a lower point does not lie below its upper one.
    """

    upper: tuple[Point, Point, Point]
    lower: tuple[Point, Point, Point]

    def __post_init__(self) -> None:
        for (_, top), (_, bottom) in zip(self.upper, self.lower, strict=True):
            if not bottom > top:
                raise ValueError("a point of the lower end plate is not below its upper one")

    @property
    def heights(self) -> tuple[float, float, float]:
        """ha, hm and hp."""
        front, middle, back = (math.dist(a, b) for a, b in zip(self.upper, self.lower, strict=True))
        return front, middle, back


@dataclass(frozen=True)
class Graded:
    """One vertebra. ``losses`` of front, middle and back are shares, below 0 where it is higher
    than what it is held against; the back's is None where nothing sound is beside it."""

    level: LateralLevel
    heights: tuple[float, float, float]
    losses: tuple[float, float, float | None]
    grade: Grade
    shape: Shape | None


def grade(levels: Mapping[LateralLevel, SixPoints]) -> tuple[Graded, ...]:
    """Return what is told of each vertebra, from the top.

    Which are sound is found twice: first all whose front and middle are, then those of them whose
    back is too, against the others.
    """
    heights = {name: levels[name].heights for name in LATERAL_LEVELS if name in levels}
    sound = {
        name for name, (front, middle, back) in heights.items()
        if not _reached(1 - min(front, middle) / back, MILD)
    }  # fmt: skip
    backs = {name: _back(name, heights, sound) for name in heights}
    sound = {name for name in sound if not _low(backs[name])}
    return tuple(
        _graded(name, found, _beside(name, heights, sound)) for name, found in heights.items()
    )


def graded(loss: float) -> Grade:
    """Return the grade of the greatest ``loss``."""
    if not _reached(loss, MILD):
        return 0
    if loss <= MODERATE + EXACT:
        return 1
    return 2 if loss <= SEVERE + EXACT else 3


def _graded(
    level: LateralLevel, heights: tuple[float, float, float], beside: float | None
) -> Graded:
    front, middle, back = heights
    lost = None if beside is None else 1 - back / beside
    crushed = _low(lost) and beside is not None
    against = beside if crushed and beside is not None else back
    front_loss, middle_loss = 1 - front / against, 1 - middle / against
    greatest = max(front_loss, middle_loss, -1.0 if lost is None else lost)
    found = graded(greatest)
    shape: Shape | None = None
    if found:
        sagged: Shape = "wedge" if front_loss >= middle_loss else "biconcave"
        shape = "crush" if crushed else sagged
    return Graded(level, heights, (front_loss, middle_loss, lost), found, shape)


def _back(
    level: LateralLevel,
    heights: Mapping[LateralLevel, tuple[float, float, float]],
    sound: Collection[LateralLevel],
) -> float | None:
    beside = _beside(level, heights, sound)
    return None if beside is None else 1 - heights[level][2] / beside


def _beside(
    level: LateralLevel,
    heights: Mapping[LateralLevel, tuple[float, float, float]],
    sound: Collection[LateralLevel],
) -> float | None:
    """Return the mean back height of the nearest ``sound`` vertebra above and the nearest below."""
    place = LATERAL_LEVELS.index(level)
    above = [name for name in LATERAL_LEVELS[:place] if name in sound][-1:]
    below = [name for name in LATERAL_LEVELS[place + 1 :] if name in sound][:1]
    found = [heights[name][2] for name in (*above, *below)]
    return sum(found) / len(found) if found else None


def _reached(loss: float, limit: float) -> bool:
    return loss >= limit - EXACT


def _low(loss: float | None) -> bool:
    return loss is not None and _reached(loss, MILD)
