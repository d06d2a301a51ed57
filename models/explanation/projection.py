"""A forest's evidence, laid out over the image.

The forest sees only channel means f_c = mean_xy F_c(x, y). Its exact tree SHAP value φ_c says how
much channel c moved this answer; within the channel, a place counts as much as it gave to the mean:

    map(x, y) = Σ_c φ_c · F_c(x, y) / f_c,   so   mean_xy map = Σ_c φ_c = severity − expected

exactly. A channel that is silent everywhere has no place, and its φ_c is spread evenly.

The base models' common unit is the raw logit, and the forest's raw logit is logit(severity), so the
map is scaled by one positive number, the secant (logit(severity) − logit(expected)) / (severity −
expected): its mean is then the logit's distance from the forest's expected value, exactly too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.inference.calibration import logit

if TYPE_CHECKING:
    from models.inference.forest import Forest


def project(
    forest: Forest, features: NDArray[np.float32], feature_maps: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return (n, h, w) float32 maps, in the unit of ``models.inference.base.BasePrediction.map``.

    ``features`` (n, c) are the means of ``feature_maps`` (n, h, w, c), which are not negative.
    """
    shares = forest.contributions(features)
    evidence = spread(shares, feature_maps)
    scale = _secant(forest.severity(features), forest.expected)
    return (evidence * scale[:, None, None]).astype(np.float32)


def spread(shares: NDArray[np.float64], feature_maps: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return (n, h, w) whose mean is ``shares`` (n, c) summed; ``feature_maps`` say where."""
    maps = feature_maps.astype(np.float64)
    means = maps.mean((1, 2))
    silent = means <= 0
    weights = np.where(silent, 0.0, shares / np.where(silent, 1.0, means))
    everywhere = np.where(silent, shares, 0.0).sum(1)
    placed = np.einsum("nhwc,nc->nhw", maps, weights)
    return np.asarray(placed + everywhere[:, None, None])


def _secant(severity: NDArray[np.float64], expected: float) -> NDArray[np.float64]:
    away = severity - expected
    near = np.abs(away) < 1e-9
    slope = 1.0 / max(expected * (1.0 - expected), 1e-9)
    rise = logit(severity) - logit(expected)
    return np.where(near, slope, rise / np.where(near, 1.0, away))
