"""What is expected of the spine's BMD in the next five years, with intervals.

Everything holds under a condition that is part of the answer: the treatment of the last visit goes
on, and so does the weight.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from models.progression.mixed import Mixed
from models.progression.recurrent import Recurrent
from models.progression.series import Floats, Series

LEAST_FOR_RATE: Final = 2
LEAST_FOR_FORECAST: Final = 3
"""Comparable visits."""

YEARS: Final = np.arange(1, 21) / 4
"""Ahead: every quarter to five years, and never further."""

NOMINAL: Final = 0.90
Z: Final = 1.6448536269514722
"""Half the width of a normal distribution's middle 90 %, in standard deviations."""

WITHIN: Final = (1, 2, 5)
"""Years within which a threshold may be reached."""

QUANTILES: Final = (0.1, 0.25, 0.5, 0.75, 0.9)
_DRAWS: Final = 4000
_SEED: Final = 20


@dataclass(frozen=True, kw_only=True)
class Rate:
    """Change a year in g/cm², with the interval that measuring alone gives it."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """At ``years``: the middle, and the interval in which a scan then would be, in g/cm²."""

    years: Floats
    middle: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, kw_only=True)
class Reaching:
    """When BMD first is at a threshold or below: a distribution, as far as five years.

    ``quantiles`` are years, None beyond five.
    """

    within: tuple[float, ...]
    quantiles: tuple[float | None, ...]


@dataclass(frozen=True, kw_only=True)
class Forecaster:
    """The model that was chosen; ``widening`` makes intervals cover on a cohort of its own."""

    mixed: Mixed
    recurrent: Recurrent | None
    widening: float

    def marginal(self, series: Series, years: Floats) -> tuple[Floats, Floats, Floats]:
        """Return mean and standard deviation of the true logarithm, and the mixed covariance."""
        mean, covariance = self.mixed.predict(series, years)
        spread = np.sqrt(np.diag(covariance))
        if self.recurrent is not None:
            mean, spread = self.recurrent.correct(self.mixed, series, years, mean, spread)
        return mean, spread * self.widening, covariance

    def forecast(self, series: Series, years: Floats = YEARS) -> Forecast:
        if len(series.times) < LEAST_FOR_FORECAST:
            raise ValueError(f"{len(series.times)} comparable visits; {LEAST_FOR_FORECAST} serve")
        mean, spread, _ = self.marginal(series, years)
        middle = np.exp(mean)
        # As the facility measures it: what another scan would say, not what the bone is.
        measured = np.sqrt(spread**2 + (self.widening * series.precision / middle) ** 2)
        return Forecast(
            years=years,
            middle=middle,
            low=np.exp(mean - Z * measured),
            high=np.exp(mean + Z * measured),
        )

    def reaching(self, series: Series, threshold: float, doubt: float = 0.0) -> Reaching:
        """Return when ``threshold`` is reached, itself known to a standard deviation ``doubt``."""
        mean, spread, covariance = self.marginal(series, YEARS)
        own = np.sqrt(np.diag(covariance))
        shape = covariance / np.outer(own, own)
        rng = np.random.default_rng(_SEED)
        values, vectors = np.linalg.eigh(shape)
        root = vectors * np.sqrt(np.clip(values, 0, None))
        drawn = rng.standard_normal((_DRAWS, len(YEARS))) @ root.T
        limits = threshold + doubt * rng.standard_normal((_DRAWS, 1))
        below = np.exp(mean + spread * drawn) <= limits
        first = np.where(below.any(axis=1), YEARS[below.argmax(axis=1)], np.inf)
        within = tuple(float((first <= years).mean()) for years in WITHIN)
        found = np.quantile(first, QUANTILES, method="inverted_cdf")
        return Reaching(
            within=within,
            quantiles=tuple(float(one) if np.isfinite(one) else None for one in found),
        )


def rate(series: Series) -> Rate:
    """Return the slope of a straight line through the visits (least squares), and its interval.

    The interval is that of the facility's precision: what a year's change would be if the visits
    were repeated. It says nothing of years to come.
    """
    if len(series.times) < LEAST_FOR_RATE:
        raise ValueError(f"{len(series.times)} comparable visits; {LEAST_FOR_RATE} give a slope")
    centred = series.times - series.times.mean()
    spread = float(centred @ centred)
    value = float(centred @ np.exp(series.logs)) / spread
    half = Z * series.precision / float(np.sqrt(spread))
    return Rate(value=value, low=value - half, high=value + half)
