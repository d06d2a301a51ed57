"""Curves of one model, as plots and pages draw them; rounded far below a pixel."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve, roc_curve

from models.evaluation.metrics import Probabilities, Truth, calibration_bins
from models.evaluation.schema import Curves, PrecisionRecall, Reliability, Roc, Values

DIGITS: Final = 5
MOST_POINTS: Final = 200
"""Of a curve; more cannot be told apart on a page. Fewer images keep all their corners."""


def curves(truth: Truth, probability: Probabilities) -> Curves:
    """Return the curves of ``probability`` (n,) against ``truth`` (n,)."""
    bins = calibration_bins(probability)
    reliability = Reliability(
        predicted=_values(np.array([probability[part].mean() for part in bins])),
        observed=_values(np.array([truth[part].mean() for part in bins])),
        count=tuple(len(part) for part in bins),
    )
    if not truth.any() or truth.all():
        return Curves(Roc((), ()), PrecisionRecall((), ()), reliability)
    false_positive_rate, true_positive_rate, _ = roc_curve(truth, probability)
    precision, recall, _ = precision_recall_curve(truth, probability, drop_intermediate=True)
    return Curves(
        Roc(_values(_thin(false_positive_rate)), _values(_thin(true_positive_rate))),
        PrecisionRecall(_values(_thin(recall)), _values(_thin(precision))),
        reliability,
    )


def _thin(points: NDArray[np.float64]) -> NDArray[np.float64]:
    if len(points) <= MOST_POINTS:
        return points
    kept = np.unique(np.linspace(0, len(points) - 1, MOST_POINTS).round().astype(int))
    return np.asarray(points[kept])


def _values(points: NDArray[np.float64]) -> Values:
    return tuple(round(float(point), DIGITS) for point in points)
