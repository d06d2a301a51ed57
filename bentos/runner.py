"""What the three base runners share; each folder names its model and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

import bentoml
import numpy as np
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    ProcessCollector,
    generate_latest,
)
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from bentos.admission import Admission
from bentos.policy import Policy, RunnerName
from bentos.queue import Dropped, Item, Queue
from bentos.rehearsal import Example, Rehearsal
from bentos.wire import (
    RECIPE_HEADER,
    DroppedAnswer,
    ImagesInput,
    Question,
    VoteAnswer,
    VotesOutput,
    count_images,
)
from models import artifact, recipe
from models.base import Scorer, Vote
from models.recipe import SIDE
from models.types import BaseName

GATHERED: Final = 8
"""Images that BentoML gathers at least: a front's calls carry as many, and splitting a call costs
more than it brings where fewer are computed together."""

AnswerT = TypeVar("AnswerT", bound=BaseModel)


def base_runner(name: BaseName) -> Any:
    """Return the BentoML service of base model ``name``: an entry service with one worker.

    Replicas scale it, not workers: each worker has a batching queue of its own, and batches never
    merge across queues.
    """
    policy = Policy.from_environment(name)
    queue, measures = watched(name, policy)

    @bentoml.service(name=f"osteoserve-{name}", **HABITS)
    class BaseRunner:
        """Scores canonical images. It listens only once the model is warm."""

        def __init__(self) -> None:
            self._scorer = Scorer(artifact.load(name), policy.runtime, policy.precision)
            for size in _batch_sizes(policy.max_batch_size):
                self._scorer.score(np.zeros((size, SIDE, SIDE), np.uint8))
            # ResNet's loads what explains forests, for a second and more: whoever opens the first
            # result must not hold up the votes on everybody else's.
            self._scorer.score(np.zeros((1, SIDE, SIDE), np.uint8), explained=[0])

        @bentoml.api(
            batchable=True,
            max_batch_size=max(policy.max_batch_size, GATHERED),
            max_latency_ms=policy.max_latency_ms,
            input_spec=ImagesInput,
            output_spec=VotesOutput,
        )
        def predict(self, items: list[Item[Question]]) -> list[VoteAnswer | DroppedAnswer]:
            """Return one vote an image."""
            return told(queue.run(items, self._score))

        def _score(self, questions: list[Question]) -> list[VoteAnswer]:
            size = policy.max_batch_size
            votes = [
                vote
                for start in range(0, len(questions), size)
                for vote in self._together(questions[start : start + size])
            ]
            return [_answer(self._scorer, vote) for vote in votes]

        def _together(self, questions: list[Question]) -> list[Vote]:
            return self._scorer.score(
                np.stack([question.image for question in questions]),
                explained=[i for i, question in enumerate(questions) if question.with_map],
            )

    blank = np.zeros((SIDE, SIDE), np.uint8)
    example = Example("/predict", {RECIPE_HEADER: recipe.NAME}, recipe.pack([blank]))
    return attended(BaseRunner, queue, measures, example, count_images)


HABITS: Final[Mapping[str, Any]] = {
    "workers": 1,
    "traffic": {"timeout": 30},
    "logging": {"access": {"enabled": False}},
    # BentoML's own count each path that was ever asked for, and say nothing of the queue.
    "metrics": {"enabled": False},
}
"""What every runner's service is configured with."""


def watched(name: RunnerName, policy: Policy) -> tuple[Queue, ASGIApp]:
    """Return a runner's waiting line, and what shows its measures at ``/metrics``."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)

    def metrics(_: Request) -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    # A route and no mount of its own: that would send who asks for /metrics on to /metrics/.
    shown = Starlette(routes=[Route("/metrics", metrics)])
    return Queue(name, policy.queue_images, registry), shown


def attended(
    service: Any,
    queue: Queue,
    measures: ASGIApp,
    example: Example,
    count: Callable[[Headers], int],
) -> Any:
    """Return the BentoML ``service`` with its waiting line before it and its measures beside.

    ``example`` is what it answers a few times before it listens.
    """
    service.add_asgi_middleware(Rehearsal, example=example)
    service.add_asgi_middleware(Admission, queue=queue, path=example.path, count=count)
    service.mount_asgi_app(measures)
    return service


def told(answers: Sequence[AnswerT | Dropped]) -> list[AnswerT | DroppedAnswer]:
    """Return ``answers`` as they go out, reasons in their place among them."""
    return [DroppedAnswer(dropped=a) if isinstance(a, str) else a for a in answers]


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
