"""The vertebrae runner: ``bentoml serve bentos.vertebrae.service:Runner``."""

from __future__ import annotations

from typing import Final

import bentoml
import numpy as np

from bentos.policy import Policy
from bentos.queue import Item
from bentos.runner import (
    GATHERED,
    HABITS,
    PREDICTED,
    attended,
    batch_sizes,
    batches,
    example,
    told,
    votes,
    watched,
)
from bentos.wire import (
    DroppedAnswer,
    FramesInput,
    ImagesInput,
    OutlineAnswer,
    OutlinesOutput,
    Question,
    VoteAnswer,
    VotesOutput,
    count_images,
)
from models import artifact
from models.image import recipe
from models.image.recipe import SIDE, Canonical
from models.inference.base import Outliner, Scorer

policy = Policy.from_environment("vertebrae")
queue, measures = watched("vertebrae", policy)

GATHERS: Final = max(policy.max_batch_size, GATHERED)


@bentoml.service(name="osteoserve-vertebrae", **HABITS)
class VertebraeRunner:
    """Outlines vertebrae in frames, and measures them in canonical images as ``bone``.

    Both calls wait in one line and are computed one after another; batches are of one kind each.
    """

    def __init__(self) -> None:
        self._outliner = Outliner(artifact.load("vertebrae"), policy.runtime, policy.precision)
        self._scorer = Scorer(artifact.load("bone"), policy.runtime, policy.precision)
        for size in batch_sizes(policy.max_batch_size):
            blank = np.zeros((size, SIDE, SIDE), np.uint8)
            self._outliner.outline(blank)
            self._scorer.score(blank)

    @bentoml.api(
        batchable=True,
        max_batch_size=GATHERS,
        max_latency_ms=policy.max_latency_ms,
        input_spec=FramesInput,
        output_spec=OutlinesOutput,
    )
    def outline(self, items: list[Item[Canonical]]) -> list[OutlineAnswer | DroppedAnswer]:
        """Return the levels and the graphics in each frame."""
        return told(queue.run(items, self._outline))

    @bentoml.api(
        batchable=True,
        max_batch_size=GATHERS,
        max_latency_ms=policy.max_latency_ms,
        input_spec=ImagesInput,
        output_spec=VotesOutput,
    )
    def predict(self, items: list[Item[Question]]) -> list[VoteAnswer | DroppedAnswer]:
        """Return the vote of ``bone`` on each canonical image."""
        return told(queue.run(items, self._score))

    def _outline(self, frames: list[Canonical]) -> list[OutlineAnswer]:
        return [
            OutlineAnswer.of(found, self._outliner.version)
            for together in batches(frames, policy.max_batch_size)
            for found in self._outliner.outline(np.stack(together))
        ]

    def _score(self, questions: list[Question]) -> list[VoteAnswer]:
        return votes(self._scorer, questions, policy.max_batch_size)


Runner = attended(
    VertebraeRunner,
    queue,
    measures,
    [example("/outline", recipe.FRAME), PREDICTED],
    count_images,
)
