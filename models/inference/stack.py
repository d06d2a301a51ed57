"""The meta-model: logistic regression over the base predictions, for every subset of them.

Fitted on out-of-fold predictions only. With one or two base models missing, the regression fitted
for just those present answers, so that the probability stays calibrated; nothing is imputed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

from models.artifact import Artifact, ArtifactError
from models.inference.calibration import logit, sigmoid
from models.manifest import StackManifest
from models.types import BASES, BaseName


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


class Stack:
    """The served meta-model."""

    def __init__(self, combiners: Mapping[str, Combiner], bases: Mapping[str, str]) -> None:
        self._combiners = combiners
        self._bases = bases

    @classmethod
    def from_artifact(cls, artifact: Artifact) -> Stack:
        facts = artifact.facts(StackManifest)
        absent = [key(names) for names in subsets() if key(names) not in facts.subsets]
        if absent:
            raise ArtifactError(f"the stack was not fitted for {', '.join(absent)}")
        return cls(
            {
                name: Combiner(one.weights, one.intercept, one.threshold, one.band)
                for name, one in facts.subsets.items()
            },
            facts.bases,
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
