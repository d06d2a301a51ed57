"""How well probabilities tell osteoporosis from normal, with intervals that respect groups.

A figure can be undefined: precision where nothing was predicted positive, an area where one side is
missing, a slope where the two sides do not overlap. It is then None, never a convenient 0 or 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score

from models.evaluation.schema import WITHOUT_INTERVAL, Confusion
from models.inference.calibration import logit
from models.manifest import Estimate

Probabilities = NDArray[np.float64]
Truth = NDArray[np.bool_]
RESAMPLES: Final = 500
LEAST_DEFINED: Final = 0.9
"""Share of resamples in which a figure must be defined for its interval to be given. Fewer, and the
interval would speak of the lucky resamples alone."""

ECE_BINS: Final = 5
"""Bins of equal count; with tens of images more bins would measure their own noise."""


def confusion(truth: Truth, predicted: Truth) -> Confusion:
    """Return the counts of ``predicted`` (n,) against ``truth`` (n,)."""
    return Confusion(
        true_positive=int((truth & predicted).sum()),
        false_negative=int((truth & ~predicted).sum()),
        false_positive=int((~truth & predicted).sum()),
        true_negative=int((~truth & ~predicted).sum()),
    )


def calibration_bins(probability: Probabilities) -> list[NDArray[np.intp]]:
    """Return the images' indices, by probability, in at most :data:`ECE_BINS` equal bins."""
    order = np.argsort(probability, kind="stable")
    return [part for part in np.array_split(order, ECE_BINS) if len(part)]


def expected_calibration_error(truth: Truth, probability: Probabilities) -> float:
    """Return the mean gap between predicted and observed share, over bins of equal count."""
    return float(
        sum(
            len(part) * abs(float(probability[part].mean()) - float(truth[part].mean()))
            for part in calibration_bins(probability)
        )
        / len(truth)
    )


def calibration_slope(truth: Truth, probability: Probabilities) -> float:
    """Return the slope of logistic recalibration (Cox, 1958): 1 is right, below 1 overconfident.

    It is the coefficient of the logit in an unpenalised logistic regression of the truth on it.
    NaN where that has no finite answer: all logits alike, or no overlap between the two sides.
    """
    evidence = logit(probability)
    positives, negatives = evidence[truth], evidence[~truth]
    overlap = (
        len(positives)
        and len(negatives)
        and positives.min() < negatives.max()
        and negatives.min() < positives.max()
    )
    if not overlap:
        return float("nan")
    # All but unpenalised: without any penalty a barely overlapping resample takes for ever.
    line = LogisticRegression(C=1e6, max_iter=1000)
    return float(line.fit(evidence[:, None], truth).coef_[0, 0])


def measure(
    truth: Truth,
    probability: Probabilities,
    predicted: Truth,
    groups: NDArray[Any],
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> dict[str, Estimate]:
    """Return each metric with its interval; all arguments are (n,) arrays.

    ``predicted`` is the decision at the threshold that held for each image. Whole groups are drawn
    with replacement, normal and osteoporosis apart, so that images of one group are never counted
    as independent. The interval is over the resamples in which the figure is defined, and None
    where those are fewer than :data:`LEAST_DEFINED`; some have none
    (:data:`~models.evaluation.schema.WITHOUT_INTERVAL`).
    """
    # Checking each array again in each resample takes longer than the figures themselves.
    with config_context(assume_finite=True, skip_parameter_validation=True):
        whole = _figures(truth, probability, predicted)
        draws = [
            _figures(truth[draw], probability[draw], predicted[draw])
            for draw in _resamples(truth, groups, seed, resamples)
        ]
    return {
        name: _estimate(value, np.array([draw[name] for draw in draws]))
        if name not in WITHOUT_INTERVAL
        else Estimate(value, None, None)
        for name, value in whole.items()
    }


def _figures(truth: Truth, probability: Probabilities, predicted: Truth) -> Mapping[str, float]:
    both = truth.any() and not truth.all()
    undefined = float("nan")
    counts = confusion(truth, predicted)
    right = counts.true_positive + counts.true_negative
    wrong = counts.false_positive + counts.false_negative
    return {
        "auroc": float(roc_auc_score(truth, probability)) if both else undefined,
        "auprc": float(average_precision_score(truth, probability)) if both else undefined,
        "brier": float(((probability - truth) ** 2).mean()),
        "ece": expected_calibration_error(truth, probability),
        "calibration_slope": calibration_slope(truth, probability),
        "accuracy": _share(right, wrong),
        "precision": _share(counts.true_positive, counts.false_positive),
        "sensitivity": _share(counts.true_positive, counts.false_negative),
        "specificity": _share(counts.true_negative, counts.false_positive),
        "f1": _share(2 * counts.true_positive, wrong),
    }


def _share(part: int, rest: int) -> float:
    return part / (part + rest) if part + rest else float("nan")


def _estimate(value: float, drawn: NDArray[np.float64]) -> Estimate:
    if np.isnan(value):
        return Estimate(None, None, None)
    defined = drawn[~np.isnan(drawn)]
    if len(defined) < LEAST_DEFINED * len(drawn):
        return Estimate(value, None, None)
    low, high = np.percentile(defined, [2.5, 97.5])
    return Estimate(value, float(low), float(high))


def _resamples(truth: Truth, groups: NDArray[Any], seed: int, count: int) -> list[NDArray[np.intp]]:
    rng = np.random.default_rng(seed)
    members = [
        [np.flatnonzero((groups == group) & (truth == side)) for group in np.unique(groups)]
        for side in (False, True)
    ]
    sides = [[group for group in side if len(group)] for side in members]
    return [
        np.concatenate(
            [side[pick] for side in sides if side for pick in rng.integers(0, len(side), len(side))]
        )
        for _ in range(count)
    ]
