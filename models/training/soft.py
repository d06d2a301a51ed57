"""Logistic regression on soft labels, the first phase of a linear head."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from models.training import steady


def linear_fit(
    views: NDArray[np.floating],
    target: NDArray[np.float32],
    strength: float,
    steadiness: float,
    errors: NDArray[np.floating] | None = None,
) -> tuple[NDArray[np.float64], float]:
    """Return weights (channels,) and intercept for ``views`` (k, n, channels) of n scans, whose
    ``target`` (n,) is in 0…1.

    A soft target t is an example of class 1 with weight t beside one of class 0 with weight 1 − t:
    the same cross-entropy. Features are standardised for the fit, and the standardisation is folded
    into what is returned. ``strength`` is scikit-learn's C, shared by all views of a scan;
    ``steadiness`` weighs how views of a scan differ (:func:`models.training.steady.axes`), and what
    is in ``errors`` (m, n, channels) beside.
    """
    channels = views.shape[-1]
    flat = views.reshape(-1, channels)
    scaler = StandardScaler().fit(flat)
    covariance = steady.within(views / scaler.scale_)
    if errors is not None:
        apart = (errors / scaler.scale_).reshape(-1, channels)
        covariance += apart.T @ apart / len(apart)
    turned = steady.axes(covariance, steadiness)
    scaled = scaler.transform(flat) @ turned
    twice = np.vstack([scaled, scaled])
    each = np.tile(target, len(views))
    label = np.repeat([1, 0], len(each))
    weight = np.concatenate([each, 1 - each])
    used = weight > 0
    regression = LogisticRegression(C=strength / len(views), max_iter=5000)
    regression.fit(twice[used], label[used], sample_weight=weight[used])
    weights = turned @ regression.coef_[0] / scaler.scale_
    return weights, float(regression.intercept_[0] - weights @ scaler.mean_)
