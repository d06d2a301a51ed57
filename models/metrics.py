"""How well probabilities tell osteoporosis from normal, with intervals that respect groups."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

Probabilities = NDArray[np.float64]
Truth = NDArray[np.bool_]

RESAMPLES: Final = 500
ECE_BINS: Final = 5
"""Bins of equal count; with tens of images more bins would measure their own noise."""


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval from a grouped bootstrap."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f}–{self.high:.3f})"


def expected_calibration_error(truth: Truth, probability: Probabilities) -> float:
    """Return the mean gap between predicted and observed share, over bins of equal count."""
    order = np.argsort(probability, kind="stable")
    return float(
        sum(
            len(part) * abs(float(probability[part].mean()) - float(truth[part].mean()))
            for part in np.array_split(order, ECE_BINS)
            if len(part)
        )
        / len(order)
    )


def sensitivity(truth: Truth, called: Truth) -> float:
    return float(called[truth].mean())


def specificity(truth: Truth, called: Truth) -> float:
    return float((~called[~truth]).mean())


def measure(
    truth: Truth,
    probability: Probabilities,
    called: Truth,
    groups: NDArray[Any],
    seed: int = 0,
) -> dict[str, dict[str, float]]:
    """Return each metric as ``{"value", "low", "high"}``.

    ``called`` is the decision at the threshold that held for each image. Whole groups are drawn
    with replacement, normal and osteoporosis apart, so that images of one group are never counted
    as independent.
    """
    metrics: Mapping[str, Callable[[NDArray[np.intp]], float]] = {
        "auroc": lambda i: float(roc_auc_score(truth[i], probability[i])),
        "auprc": lambda i: float(average_precision_score(truth[i], probability[i])),
        "brier": lambda i: float(brier_score_loss(truth[i], probability[i])),
        "ece": lambda i: expected_calibration_error(truth[i], probability[i]),
        "accuracy": lambda i: float((called[i] == truth[i]).mean()),
        "sensitivity": lambda i: sensitivity(truth[i], called[i]),
        "specificity": lambda i: specificity(truth[i], called[i]),
    }
    everything = np.arange(len(truth))
    draws = list(_resamples(truth, groups, seed))
    result = {}
    for name, metric in metrics.items():
        low, high = np.percentile([metric(draw) for draw in draws], [2.5, 97.5])
        result[name] = asdict(Estimate(metric(everything), float(low), float(high)))
    return result


def _resamples(truth: Truth, groups: NDArray[Any], seed: int) -> list[NDArray[np.intp]]:
    rng = np.random.default_rng(seed)
    members = [
        [np.flatnonzero((groups == group) & (truth == side)) for group in np.unique(groups)]
        for side in (False, True)
    ]
    sides = [[group for group in side if len(group)] for side in members]
    return [
        np.concatenate(
            [side[pick] for side in sides for pick in rng.integers(0, len(side), len(side))]
        )
        for _ in range(RESAMPLES)
    ]
