"""Fits the stack: a logistic regression over base predictions for each subset of base models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from models.inference.calibration import sigmoid

REGULARISATION: Final = 0.1
"""C of the logistic regression. Three models that agree much, and tens of images: left alone, one's
weight goes up and another's below zero to fit noise."""


@dataclass(frozen=True)
class LinearFit:
    """The regression of one subset."""

    weights: dict[str, float]
    intercept: float

    def probability(self, logits: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
        """Return (n,) probabilities for calibrated ``logits``, base model's name → (n,)."""
        total = np.zeros(1) + self.intercept
        for name, weight in self.weights.items():
            total = total + weight * logits[name]
        return sigmoid(total)


def fit_weights(
    logits: Mapping[str, NDArray[np.float64]],
    truth: NDArray[np.bool_],
    names: tuple[str, ...],
    views: int = 1,
) -> LinearFit:
    """Return the regression of the subset ``names`` on out-of-fold calibrated ``logits``, each
    (n,); ``views`` says how many of them show one image, which counts once.

    No weight is below zero (Breiman, Stacked regressions, 1996): a base model that others know
    better than is left out, and a more suspicious vote never lowers the answer.
    """
    kept = list(names)
    while True:
        regression = LogisticRegression(C=REGULARISATION / views)
        regression.fit(np.column_stack([logits[name] for name in kept]), truth)
        lowest = int(np.argmin(regression.coef_[0]))
        if regression.coef_[0][lowest] >= 0 or len(kept) == 1:
            break
        del kept[lowest]
    found = dict(zip(kept, map(float, regression.coef_[0]), strict=True))
    weights = {name: max(found.get(name, 0.0), 0.0) for name in names}
    return LinearFit(weights, float(regression.intercept_[0]))
