"""What the three base runners share; each folder names its model and nothing else."""

from __future__ import annotations

from typing import Any

import bentoml
import numpy as np

from bentos.policy import Policy
from bentos.tracing import computing
from bentos.wire import ImagesInput, Item, VoteAnswer
from models import artifact
from models.base import Scorer, Vote
from models.recipe import SIDE
from models.types import BaseName


def base_runner(name: BaseName) -> Any:
    """Return the BentoML service of base model ``name``: an entry service with one worker.

    Replicas scale it, not workers: each worker has a batching queue of its own, and batches never
    merge across queues.
    """
    policy = Policy.from_environment()

    @bentoml.service(
        name=f"osteoserve-{name}",
        workers=1,
        traffic={"timeout": 30},
        logging={"access": {"enabled": False}},
    )
    class BaseRunner:
        """Scores canonical images. It listens only once the model is warm."""

        def __init__(self) -> None:
            self._scorer = Scorer(artifact.load(name), policy.runtime, policy.precision)
            for size in _batch_sizes(policy.max_batch_size):
                self._scorer.score(np.zeros((size, SIDE, SIDE), np.uint8))

        @bentoml.api(
            batchable=True,
            max_batch_size=policy.max_batch_size,
            max_latency_ms=policy.max_latency_ms,
            input_spec=ImagesInput,
        )
        def predict(self, items: list[Item]) -> list[VoteAnswer]:
            """Return one vote an image."""
            with computing(name, [item.origin for item in items]):
                votes = self._scorer.score(
                    np.stack([item.image for item in items]),
                    explained=[index for index, item in enumerate(items) if item.with_map],
                )
            return [_answer(self._scorer, vote) for vote in votes]

    return BaseRunner


def _batch_sizes(most: int) -> list[int]:
    """Return 1, 2, 4 … up to ``most``: engines compile once a shape, XLA for seconds."""
    return sorted({min(1 << power, most) for power in range(most.bit_length() + 1)})


def _answer(scorer: Scorer, vote: Vote) -> VoteAnswer:
    return VoteAnswer(
        probability=vote.probability,
        version=scorer.version,
        recipe=scorer.recipe,
        threshold=scorer.threshold,
        band=scorer.band,
        auroc=scorer.auroc,
        map=None if vote.map is None else [[round(float(v), 4) for v in row] for row in vote.map],
    )
