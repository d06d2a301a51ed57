"""The meta-model: logistic regression over the base predictions, for every subset of
them.

Fitted on out-of-fold predictions only. With one or two base models missing, the regression fitted
for just those present answers, so that the probability stays calibrated; nothing is imputed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.artifact import Artifact
from models.inference.calibration import logit, sigmoid
from models.types import BASES, BaseName

REGULARISATION: Final = 0.1
"""C of the logistic regression. Three models that agree much, and tens of images: left alone, one's
weight goes up and another's below zero to fit noise."""


class NoBasePredictionsError(ValueError):
    """None of the base predictions is of a model that this stack was fitted with."""


@dataclass(frozen=True)
class Combiner:
    """Logistic regression for one subset: logit = ``intercept`` + Σ ``weights`` · base logit."""

    weights: Mapping[str, float]
    intercept: float
    threshold: float
    band: tuple[float, float]


@dataclass(frozen=True)
class EnsemblePrediction:
    """The stack's answer for one image.

    ``contributions`` are in logit units; they and ``intercept`` sum to the logit of
    ``probability`` exactly, since the model is linear.
    """

    probability: float
    threshold: float
    band: tuple[float, float]
    contributions: dict[BaseName, float]
    intercept: float
    missing: tuple[BaseName, ...]


def subsets() -> Iterator[tuple[BaseName, ...]]:
    """Yield every non-empty subset of the base models, largest first: 7 for three."""
    for size in range(len(BASES), 0, -1):
        yield from combinations(BASES, size)


def key(names: tuple[str, ...]) -> str:
    """Return the manifest's key of a subset, for example ``cnn+vgg16``."""
    return "+".join(names)


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
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - no runner fits anything

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


class Stack:
    """The served meta-model."""

    def __init__(self, combiners: Mapping[str, Combiner], bases: Mapping[str, str]) -> None:
        self._combiners = combiners
        self._bases = bases

    @classmethod
    def from_artifact(cls, artifact: Artifact) -> Stack:
        return cls(
            {name: _combiner(facts) for name, facts in artifact.manifest["subsets"].items()},
            artifact.manifest["bases"],
        )

    @property
    def bases(self) -> tuple[BaseName, ...]:
        """The base models that it was fitted with."""
        return tuple(name for name in BASES if name in self._bases)

    def combine(self, predictions: Mapping[str, tuple[float, str]]) -> EnsemblePrediction:
        """Return the ensemble prediction from base model's name → (probability, version).

        A prediction of a version that this stack was not fitted with counts as missing: its
        scale is unknown. Raises :class:`NoBasePredictionsError` when none is left.
        """
        used = tuple(
            name
            for name in BASES
            if name in predictions and predictions[name][1] == self._bases.get(name)
        )
        if not used:
            raise NoBasePredictionsError(
                "no prediction of a base model version that this stack was fitted with"
            )
        combiner = self._combiners[key(used)]
        contributions: dict[BaseName, float] = {
            name: combiner.weights[name] * float(logit(predictions[name][0])) for name in used
        }
        return EnsemblePrediction(
            probability=float(sigmoid(combiner.intercept + sum(contributions.values()))),
            threshold=combiner.threshold,
            band=combiner.band,
            contributions=contributions,
            intercept=combiner.intercept,
            missing=tuple(name for name in BASES if name not in used),
        )


def _combiner(facts: Mapping[str, Any]) -> Combiner:
    low, high = facts["band"]
    return Combiner(
        weights=facts["weights"],
        intercept=float(facts["intercept"]),
        threshold=float(facts["threshold"]),
        band=(float(low), float(high)),
    )
