"""The vertebrae runner: ``bentoml serve bentos.vertebrae.service:Runner``."""

from __future__ import annotations

import numpy as np

from bentos.base import BaseModel
from bentos.policy import Policy
from bentos.runner import OUTLINES, PREDICTS, batch_sizes, batches, make_runner
from models import artifact
from models.image.recipe import SIDE, Canonical
from models.inference.base import Outliner, Scorer
from protocol.answers import Outline


class VertebraeModel(BaseModel):
    """Outlines vertebrae in frames, and measures them in canonical images as ``bone``.

    Both kinds of call are computed one after another; batches are of one kind each.
    """

    def __init__(self, outliner: Outliner, scorer: Scorer, size: int) -> None:
        super().__init__(scorer, size)
        self._outliner = outliner
        for count in batch_sizes(size):
            outliner.outline(np.zeros((count, SIDE, SIDE), np.uint8))

    def outline(self, frames: list[Canonical]) -> list[Outline]:
        """Return the levels and the graphics in each frame."""
        return [
            Outline.from_outlined(found, self._outliner.version)
            for together in batches(frames, self._size)
            for found in self._outliner.outline(np.stack(together))
        ]


def _build(policy: Policy) -> VertebraeModel:
    return VertebraeModel(
        Outliner(artifact.load("vertebrae"), policy.runtime, policy.precision),
        Scorer(artifact.load("bone"), policy.runtime, policy.precision),
        policy.max_batch_size,
    )


Runner = make_runner("vertebrae", _build, [OUTLINES, PREDICTS])
