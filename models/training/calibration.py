"""Fits what turns a model's logits into an answer: calibration, threshold and band."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_curve

from models.inference.calibration import (
    BAND_FALSE_ALARM,
    BAND_MISSED,
    SENSITIVITY_TARGET,
    Calibration,
    OperatingPoint,
    logit,
)


def fit(raw_logit: NDArray[np.float64], truth: NDArray[np.bool_]) -> Calibration:
    """Fit Platt scaling on out-of-fold logits (Platt, 1999), lightly regularised.

    The regularisation acts on the standardised logit and shrinks towards 'tells nothing'. A model
    whose evidence points the wrong way gets slope 0: it is silenced, not turned round.
    """
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
    false_positive_rate, true_positive_rate, cuts = roc_curve(
        truth, probability, drop_intermediate=False
    )
    positives = int(truth.sum())
    needed = min(math.ceil(SENSITIVITY_TARGET * positives) + views, positives) / positives
    # Compared as shares of the same count: a hundredth of one scan forgives rounding.
    threshold = float(cuts[np.argmax(true_positive_rate >= needed - 0.01 / positives)])
    below = probability[probability < threshold]
    if len(below):
        threshold = (threshold + float(below.max())) / 2
    low = float(cuts[np.argmax(true_positive_rate >= 1.0 - BAND_MISSED)])
    high = float(cuts[np.flatnonzero(false_positive_rate <= BAND_FALSE_ALARM)[-1]])
    # roc_curve starts at infinity; a useless model would put the upper edge there.
    high = min(high, 1.0)
    return OperatingPoint(threshold, (min(low, threshold), max(high, threshold)))
