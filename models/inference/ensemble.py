"""All served models in one process: what the service asks of six, without the service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models import artifact
from models.inference.base import BasePrediction, Outliner, Scorer
from models.inference.stack import EnsemblePrediction, Stack
from models.runtime import PrecisionChoice, RuntimeChoice
from models.types import BASES, BaseName

BATCH: Final = 16
"""Images scored at once: enough to keep two cores busy, little enough for the edge's memory."""


class Ensemble:
    """The base models and the stack served from ``root`` (default: where artefacts are served).

    ``runtime`` and ``precision`` go to every :class:`~models.inference.base.Scorer`. Raises
    :class:`~models.artifact.ArtifactError` for an artefact that is missing or changed, or that was
    not shown to answer alike on that runtime.
    """

    def __init__(
        self,
        root: Path | None = None,
        runtime: RuntimeChoice = "auto",
        precision: PrecisionChoice = "auto",
    ) -> None:
        self.outliner = Outliner(artifact.load("vertebrae", root), runtime)
        self.scorers: dict[BaseName, Scorer] = {
            name: Scorer(artifact.load(name, root), runtime, precision) for name in BASES
        }
        self.stack = Stack.from_artifact(artifact.load("stack", root))

    def base_predictions(self, images: NDArray[np.uint8]) -> dict[BaseName, list[BasePrediction]]:
        """Return each base model's prediction on each of ``images`` (n, 224, 224) uint8."""
        return {
            name: [
                prediction
                for start in range(0, len(images), BATCH)
                for prediction in scorer.score(images[start : start + BATCH])
            ]
            for name, scorer in self.scorers.items()
        }

    def combine(
        self,
        predictions: Mapping[BaseName, Sequence[BasePrediction]],
        present: Sequence[BaseName] = BASES,
    ) -> list[EnsemblePrediction]:
        """Return the stack's prediction on each image, as if only ``present`` had answered."""
        count = min(len(predictions[name]) for name in present)
        return [
            self.stack.combine(
                {
                    name: (predictions[name][index].probability, self.scorers[name].version)
                    for name in present
                }
            )
            for index in range(count)
        ]

    def predict(self, images: NDArray[np.uint8]) -> list[EnsemblePrediction]:
        """Return the prediction of the whole stack on each of ``images`` (n, 224, 224) uint8."""
        return self.combine(self.base_predictions(images))
