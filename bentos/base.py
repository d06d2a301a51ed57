"""The runner of a base model, and the base model as a runner asks it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from bentos.policy import Policy
from bentos.runner import PREDICTS, batch_sizes, batches, make_runner
from bentos.wire import Question
from models import artifact
from models.image.recipe import SIDE
from models.inference import base
from protocol.answers import BasePrediction, Served


class Scorer(Served, Protocol):
    """As much of :class:`models.inference.base.Scorer` as is asked for here."""

    def score(
        self, images: NDArray[np.uint8], explained: Sequence[int] = ()
    ) -> list[base.BasePrediction]: ...


def base_runner(name: Literal["cnn", "vgg16", "resnet"]) -> Any:
    """Return the BentoML service of base model ``name``."""

    def build(policy: Policy) -> BaseModel:
        scorer = base.Scorer(artifact.load(name), policy.runtime, policy.precision)
        return BaseModel(scorer, policy.max_batch_size)

    return make_runner(name, build, [PREDICTS])


class BaseModel:
    """Canonical images in, base predictions out; at most ``size`` images are computed together.

    It is made warm: every batch size has been computed, and once a map.
    """

    def __init__(self, scorer: Scorer, size: int) -> None:
        self._scorer = scorer
        self._size = size
        for count in batch_sizes(size):
            scorer.score(np.zeros((count, SIDE, SIDE), np.uint8))
        # ResNet's loads what explains forests, for a second and more: whoever opens the first
        # result must not hold up the predictions about everybody else's.
        scorer.score(np.zeros((1, SIDE, SIDE), np.uint8), explained=[0])

    def predict(self, questions: list[Question]) -> list[BasePrediction]:
        """Return one prediction a question, with a map where it wants one."""
        return [
            BasePrediction.of(prediction, self._scorer)
            for together in batches(questions, self._size)
            for prediction in self._scorer.score(
                np.stack([question.image for question in together]),
                explained=[i for i, question in enumerate(together) if question.with_map],
            )
        ]
