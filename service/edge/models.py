"""The served models in this process: what five runners answer, by LiteRT and one at a time."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np

from models import artifact
from models.artifact import Artifact
from models.image.recipe import SIDE, Canonical
from models.inference.base import Outliner, Scorer
from models.inference.forest import FILE as FOREST_FILE
from models.inference.stack import Stack
from models.runtime import Files, RuntimeName
from models.types import BASES, BaseName
from protocol.answers import BasePrediction, BaseProbability, EnsemblePrediction, Outline

RUNTIME: Final[RuntimeName] = "litert"

READ: Final = (Files.TFLITE, FOREST_FILE)
"""Files of an artefact that LiteRT's answers need; of the others none has to be there."""


class Models:
    """The four base models, ``vertebrae`` and the stack, ready to answer.

    Images are computed one by one: what a network needs of memory grows with those that it computes
    together, and a clinic's one machine gains little by it.
    """

    def __init__(self, root: Path | None = None) -> None:
        """``root``: where artefacts are served from. Raises
        :class:`~models.artifact.ArtifactError`."""
        loaded = {name: _load(name, root) for name in BASES}
        self._outliner = Outliner(_load("vertebrae", root), RUNTIME)
        self._scorers = {name: Scorer(one, RUNTIME) for name, one in loaded.items()}
        # What explains a forest takes more memory than all models together.
        explains = find_spec("shap") is not None
        self._mapped = {name for name, one in loaded.items() if explains or not _has_forest(one)}
        stored = artifact.load("stack", root, only=())
        self._stack = Stack.from_artifact(stored)
        self._version, self._recipe = stored.version, str(stored.manifest["recipe"])
        blank = np.zeros((SIDE, SIDE), np.uint8)
        self.outline(blank)
        for name in BASES:
            self.predict(name, blank)

    def outline(self, frame: Canonical) -> Outline:
        """Return the levels and the graphics in ``frame``."""
        (found,) = self._outliner.outline(frame[None])
        return Outline.from_outlined(found, self._outliner.version)

    def predict(self, name: BaseName, image: Canonical, with_map: bool = False) -> BasePrediction:
        """Return what a base model says of a canonical image.

        ``with_map``: with its heat map, where it has one that can be drawn here.
        """
        scorer = self._scorers[name]
        explained = (0,) if with_map and name in self._mapped else ()
        (scored,) = scorer.score(image[None], explained)
        return BasePrediction.of(scored, scorer)

    def combine(self, votes: Mapping[str, BaseProbability]) -> EnsemblePrediction:
        """Return what the stack says of one image's votes.

        Raises :class:`~models.inference.stack.NoBasePredictionsError` where it can use none.
        """
        given = {name: (one.probability, one.version) for name, one in votes.items()}
        return EnsemblePrediction.of(self._stack.combine(given), self._version, self._recipe)


def _load(name: str, root: Path | None) -> Artifact:
    return artifact.load(name, root, only=READ)


def _has_forest(stored: Artifact) -> bool:
    return FOREST_FILE in stored.manifest["files"]


def size(root: Path | None = None) -> int:
    """Return how many bytes of models are read."""
    stored = [_load(name, root) for name in (*BASES, "vertebrae")]
    return sum(
        one.path(file).stat().st_size
        for one in stored
        for file in READ
        if file in one.manifest["files"]
    )
