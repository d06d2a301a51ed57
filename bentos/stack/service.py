"""The stack runner: ``bentoml serve bentos.stack.service:Runner``."""

from __future__ import annotations

from collections.abc import Mapping

from bentos.policy import Policy
from bentos.runner import COMBINES, make_runner
from models import artifact
from models.artifact import Artifact
from models.inference.stack import NoBasePredictionsError, Stack
from protocol.answers import BaseProbability, EnsemblePrediction, NoEnsemblePrediction


class StackModel:
    """Combines whichever base predictions arrived into one calibrated probability."""

    def __init__(self, stored: Artifact) -> None:
        self._version, self._recipe = stored.version, str(stored.manifest["recipe"])
        self._stack = Stack.from_artifact(stored)

    def combine(
        self, sets: list[Mapping[str, BaseProbability]]
    ) -> list[EnsemblePrediction | NoEnsemblePrediction]:
        """Return one answer for each set of base predictions."""
        return [self._answer(one) for one in sets]

    def _answer(
        self, predictions: Mapping[str, BaseProbability]
    ) -> EnsemblePrediction | NoEnsemblePrediction:
        try:
            combined = self._stack.combine(
                {name: (one.probability, one.version) for name, one in predictions.items()}
            )
        except NoBasePredictionsError:
            return NoEnsemblePrediction(
                missing=self._stack.bases, version=self._version, recipe=self._recipe
            )
        return EnsemblePrediction.of(combined, self._version, self._recipe)


def _build(_: Policy) -> StackModel:
    return StackModel(artifact.load("stack"))


Runner = make_runner("stack", _build, [COMBINES])
