"""From a model's logit to a probability, a threshold and a band in which it abstains."""

from __future__ import annotations

import math
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


def fit(raw_logit: NDArray[np.float64], truth: NDArray[np.bool_]) -> Calibration:
    """Fit Platt scaling on out-of-fold logits (Platt, 1999), lightly regularised.

    The regularisation acts on the standardised logit and shrinks towards 'tells nothing'. A model
    whose evidence points the wrong way gets slope 0: it is silenced, not turned round.
    """
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - no runner fits anything

    centre, spread = float(raw_logit.mean()), max(float(raw_logit.std()), 1e-6)
    line = LogisticRegression(C=10.0)
    line.fit(((raw_logit - centre) / spread)[:, None], truth)
    slope = float(line.coef_[0, 0]) / spread
    if slope <= 0:
        prior = float(truth.mean())
        return Calibration(slope=0.0, intercept=float(logit(prior)))
    return Calibration(slope=slope, intercept=float(line.intercept_[0]) - slope * centre)


def operating_point(
    probability: NDArray[np.float64], truth: NDArray[np.bool_], views: int = 1
) -> OperatingPoint:
    """Choose threshold and band on out-of-fold probabilities by the targets above.

    ``views`` says how many of them show one scan.

    The threshold finds one osteoporosis scan more than :data:`SENSITIVITY_TARGET` needs, where
    there is one: chosen to the letter on tens of scans, the target was missed on the next ones
    (0.88 for 0.90, cross-fitted). It lies halfway to the next lower probability, so that no
    scan of those it was chosen on is decided by a rounding.
    """
    from sklearn.metrics import roc_curve  # noqa: PLC0415 - no runner fits anything

    false_alarm, found, cuts = roc_curve(truth, probability, drop_intermediate=False)
    ill = int(truth.sum())
    needed = min(math.ceil(SENSITIVITY_TARGET * ill) + views, ill) / ill
    # Compared as shares of the same count: a hundredth of one scan forgives rounding.
    threshold = float(cuts[np.argmax(found >= needed - 0.01 / ill)])
    below = probability[probability < threshold]
    if len(below):
        threshold = (threshold + float(below.max())) / 2
    low = float(cuts[np.argmax(found >= 1.0 - BAND_MISSED)])
    high = float(cuts[np.flatnonzero(false_alarm <= BAND_FALSE_ALARM)[-1]])
    # roc_curve starts at infinity; a useless model would put the upper edge there.
    high = min(high, 1.0)
    return OperatingPoint(threshold, (min(low, threshold), max(high, threshold)))
