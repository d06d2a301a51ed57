"""What one image says of the curve: an angle with its interval, against the threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from models.vertebrae.findings import CURVE
from models.vertebrae.geometry import LEVELS
from service.medicine.vertebrae.schemas import Vertebrae

THRESHOLD: Final = CURVE
"""Degrees (domain.md §2.3)."""

Standing = Literal["below", "uncertain", "reached"]
"""Where the interval lies: below the threshold, around it, or at and above it."""

Side = Literal["left", "right"]
Untold = Literal["levels", "version"]
"""Why no angle is told: fewer than four levels, or a result of a version without intervals."""


@dataclass(frozen=True, kw_only=True)
class Screening:
    """``degrees`` with ``low`` and ``high``; ``side`` of the image to which the column bulges, None
    where the interval holds a straight one."""

    degrees: float
    low: float
    high: float
    side: Side | None

    @property
    def standing(self) -> Standing:
        if self.high < THRESHOLD:
            return "below"
        return "reached" if self.low >= THRESHOLD else "uncertain"


def screen(found: Vertebrae) -> Screening | Untold:
    """Return the angle that is told of ``found``, or why none is."""
    if len(found.levels) < len(LEVELS):
        return "levels"
    if found.curve_interval is None:
        return "version"
    low, high = found.curve_interval
    first, second, third, last = (one.centre[0] for one in found.levels)
    bulge = second + third - first - last
    side: Side = "right" if bulge > 0 else "left"
    return Screening(degrees=found.curve, low=low, high=high, side=side if low > 0 else None)
