"""What the base runners share; each folder names its model and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal, TypeVar

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
from bentos.policy import Policy
from bentos.queue import Dropped, Item, Queue
from bentos.rehearsal import Example, Rehearsal
from bentos.wire import (
    RECIPE_HEADER,
    DroppedAnswer,
    ImagesInput,
    MeasurementAnswer,
    Question,
    VoteAnswer,
    VotesOutput,
    count_images,
)
from models import artifact
from models.image import recipe
from models.image.recipe import SIDE
from models.inference.base import Scorer, Vote
from models.types import RunnerName

GATHERED: Final = 8
"""Images that BentoML gathers at least: a front's calls carry as many, and splitting a call costs
more than it brings where fewer are computed together."""

AnswerT = TypeVar("AnswerT", bound=BaseModel)
T = TypeVar("T")


def base_runner(name: Literal["cnn", "vgg16", "resnet"]) -> Any:
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
            for size in batch_sizes(policy.max_batch_size):
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
            return votes(self._scorer, questions, policy.max_batch_size)

    return attended(BaseRunner, queue, measures, [PREDICTED], count_images)


def votes(scorer: Scorer, questions: list[Question], size: int) -> list[VoteAnswer]:
    """Return one answer a question, ``size`` images at most computed together."""
    found = [
        vote
        for together in batches(questions, size)
        for vote in scorer.score(
            np.stack([question.image for question in together]),
            explained=[i for i, question in enumerate(together) if question.with_map],
        )
    ]
    return [_answer(scorer, vote) for vote in found]


def batches(items: list[T], size: int) -> Iterator[list[T]]:
    """Yield ``items`` in pieces of ``size`` at most."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def example(path: str, made_by: str) -> Example:
    """Return a call with one blank image of recipe ``made_by``."""
    blank = np.zeros((SIDE, SIDE), np.uint8)
    return Example(path, {RECIPE_HEADER: made_by}, recipe.pack([blank]))


PREDICTED: Final = example("/predict", recipe.NAME)
"""What a base runner practises on."""


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
    examples: Sequence[Example],
    count: Callable[[Headers], int],
) -> Any:
    """Return the BentoML ``service`` with its waiting line before it and its measures beside.

    ``examples``, one a path, are what it answers a few times before it listens.
    """
    service.add_asgi_middleware(Rehearsal, examples=examples)
    paths = [one.path for one in examples]
    service.add_asgi_middleware(Admission, queue=queue, paths=paths, count=count)
    service.mount_asgi_app(measures)
    return service


def told(answers: Sequence[AnswerT | Dropped]) -> list[AnswerT | DroppedAnswer]:
    """Return ``answers`` as they go out, reasons in their place among them."""
    return [DroppedAnswer(dropped=a) if isinstance(a, str) else a for a in answers]


def batch_sizes(most: int) -> list[int]:
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
        measurements=[
            MeasurementAnswer(name=one.name, value=one.value, contribution=one.contribution)
            for one in vote.measured
        ]
        or None,
    )
