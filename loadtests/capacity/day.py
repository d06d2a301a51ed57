"""How a day's scans fall over its hours, as an assumption that can be replaced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from loadtests.capacity.costs import CapacityError

CLINIC: Final = (
    0.2, 0.2, 0.2, 0.2, 0.2, 0.3, 0.6, 2.0, 5.0, 8.0, 9.0, 9.0,
    7.0, 6.0, 8.0, 8.0, 7.0, 5.0, 3.0, 1.5, 0.8, 0.5, 0.3, 0.2,
)  # fmt: skip
"""Scans by hour, in any unit: outpatients from eight to five, a dip at noon, a few at night."""

STEEPEST: Final = 11.0


@dataclass(frozen=True)
class Day:
    """``shares`` of a day's scans by hour, which sum to 1."""

    shares: tuple[float, ...]

    @property
    def peak(self) -> float:
        """How many times the day's mean its busiest hour sees."""
        return max(self.shares) * len(self.shares)

    @property
    def peak_hour(self) -> int:
        return self.shares.index(max(self.shares))

    def arrivals(self, scans: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return the seconds, sorted, at which some ``scans`` scans of a day arrive (Poisson)."""
        counts = rng.poisson(np.asarray(self.shares) * scans)
        hours = np.repeat(np.arange(len(counts)), counts)
        return np.sort((hours + rng.random(len(hours))) * 3600)


def clinic(peak: float | None = None) -> Day:
    """Return the clinic's day, made flatter or steeper so that its busiest hour is ``peak``.

    1 is the same at all hours. Raises :class:`CapacityError` where ``peak`` cannot be.
    """
    weights = np.asarray(CLINIC)
    if peak is None:
        return _day(weights)
    if not 1 <= peak <= STEEPEST:
        raise CapacityError(f"the peak factor is {peak}; 1 to {STEEPEST:g} can be")
    low, high = 0.0, 64.0
    for _ in range(60):
        power = (low + high) / 2
        low, high = (power, high) if _day(weights**power).peak < peak else (low, power)
    return _day(weights**low)


def _day(weights: NDArray[np.float64]) -> Day:
    return Day(tuple((weights / weights.sum()).tolist()))
