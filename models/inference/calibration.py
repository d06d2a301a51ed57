"""From a model's logit to a probability, a threshold and a band in which it abstains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

SENSITIVITY_TARGET: Final = 0.90
"""The threshold finds at least this share of osteoporosis (domain.md §4)."""

BAND_MISSED: Final = 0.05
"""Below the band lies at most this share of osteoporosis scans."""

BAND_FALSE_ALARM: Final = 0.10
"""Above the band lies at most this share of normal scans."""

LOGIT_LIMIT: Final = 12.0
"""Probabilities are kept within 6e-6 of 0 and 1, so that a logit can be had back from JSON."""


def sigmoid(logit: ArrayLike) -> NDArray[np.float64]:
    clipped = np.clip(np.asarray(logit, np.float64), -LOGIT_LIMIT, LOGIT_LIMIT)
    return np.asarray(1.0 / (1.0 + np.exp(-clipped)))


def logit(probability: ArrayLike) -> NDArray[np.float64]:
    p = np.asarray(probability, np.float64)
    with np.errstate(divide="ignore"):
        return np.asarray(np.clip(np.log(p) - np.log1p(-p), -LOGIT_LIMIT, LOGIT_LIMIT))


@dataclass(frozen=True)
class Calibration:
    """Platt scaling: calibrated logit = ``slope`` × raw logit + ``intercept``."""

    slope: float
    intercept: float

    def probability(self, raw_logit: ArrayLike) -> NDArray[np.float64]:
        """Return the calibrated probabilities of ``raw_logit``, any shape, float64."""
        return sigmoid(self.slope * np.asarray(raw_logit, np.float64) + self.intercept)


@dataclass(frozen=True)
class OperatingPoint:
    """``threshold`` divides; within ``band`` (inclusive) no decision is given."""

    threshold: float
    band: tuple[float, float]
