"""Logistic regression on soft labels that answers alike for all views of one scan.

Beside the squared weights, the variance of the logit over a scan's views is penalised: wᵀ(I + ρS)w
for weights w, strength ρ, and S the covariance of features within a scan. It is the same as plain
regression on features divided by (I + ρS)^½, within-class covariance normalisation (Hatch et al.,
Interspeech 2006) where a class is a scan and its sessions are the exports of it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression


def linear_fit(
    features: NDArray[np.float32], target: NDArray[np.float32], strength: float, steadiness: float
) -> tuple[NDArray[np.float64], float]:
    """Return weights (channels,) and intercept for ``features`` (views, n, channels) and ``target``
    (n,) in 0…1.

    A soft target t is an example of class 1 with weight t beside one of class 0 with weight 1 − t:
    the same cross-entropy. Features are standardised for the fit, which is folded into what is
    returned; ``strength`` is scikit-learn's C, shared by all views, and ``steadiness`` is ρ above.
    """
    views, channels = len(features), features.shape[-1]
    flat = features.reshape(-1, channels)
    centre, scale = flat.mean(0), np.maximum(flat.std(0), 1e-6)
    scaled = (features - centre) / scale
    within = (scaled - scaled.mean(0)).reshape(-1, channels)
    values, axes = np.linalg.eigh(np.eye(channels) + steadiness * (within.T @ within) / len(within))
    whiten = (axes / np.sqrt(values)) @ axes.T
    seen = scaled.reshape(-1, channels) @ whiten
    target = np.tile(target, views)
    twice = np.vstack([seen, seen])
    label = np.repeat([1, 0], len(target))
    weight = np.concatenate([target, 1 - target])
    used = weight > 0
    regression = LogisticRegression(C=strength / views, max_iter=5000)
    regression.fit(twice[used], label[used], sample_weight=weight[used])
    weights = whiten @ regression.coef_[0] / scale
    return weights, float(regression.intercept_[0] - weights @ centre)
