"""Logistic regression on soft labels, the first phase of a linear head."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler


def linear_fit(
    features: NDArray[np.float32], target: NDArray[np.float32], strength: float
) -> tuple[NDArray[np.float64], float]:
    """Return weights (channels,) and intercept for ``features`` (n, channels), ``target`` in 0…1.

    A soft target t is an example of class 1 with weight t beside one of class 0 with weight 1 − t:
    the same cross-entropy. Features are standardised for the fit (``strength`` is scikit-learn's C)
    and the standardisation is folded into what is returned.
    """
    scaler = StandardScaler().fit(features)
    scaled = scaler.transform(features)
    twice = np.vstack([scaled, scaled])
    label = np.repeat([1, 0], len(target))
    weight = np.concatenate([target, 1 - target])
    used = weight > 0
    regression = LogisticRegression(C=strength, max_iter=5000)
    regression.fit(twice[used], label[used], sample_weight=weight[used])
    weights = regression.coef_[0] / scaler.scale_
    return weights, float(regression.intercept_[0] - weights @ scaler.mean_)
