"""A BentoML service of any model: batching, queue, warm-up and metrics around a plain class."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import bentoml
import numpy as np
from bentoml import IODescriptor
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
from bentos.backlog import Backlog, Item
from bentos.policy import Policy
from bentos.warm_up import Example, WarmUp
from bentos.wire import (
    BasePredictionsInput,
    BasePredictionsOutput,
    EnsemblePredictionsOutput,
    FramesInput,
    ImagesInput,
    OutlinesOutput,
    count_images,
    count_sets,
)
from models.image import recipe
from models.image.recipe import SIDE
from protocol import headers
from protocol.answers import Dropped, DropReason, EnsembleRequest
from protocol.headers import MAX_ITEMS
from protocol.runners import COMBINE, OUTLINE, PREDICT, RunnerName

GATHERED: Final = 8
"""Images that BentoML gathers at least: a front's calls carry as many, and splitting a call costs
more than it brings where fewer are computed together."""

SERVICE_CONFIG: Final[Mapping[str, Any]] = {
    "workers": 1,
    "traffic": {"timeout": 30},
    "logging": {"access": {"enabled": False}},
    # BentoML's own count each path that was ever asked for, and say nothing of the queue.
    "metrics": {"enabled": False},
}
"""What every runner's service is configured with."""

T = TypeVar("T")


@dataclass(frozen=True)
class Endpoint:
    """A path that a runner answers, by its model's method of the same name.

    ``count`` returns a call's items from its headers, 0 where it cannot tell; ``gathered`` are the
    items that BentoML gathers at least.
    """

    path: str
    input: type[IODescriptor]
    output: type[IODescriptor]
    count: Callable[[Headers], int]
    headers: Mapping[str, str]
    content: bytes = field(repr=False)
    gathered: int = GATHERED

    @property
    def method(self) -> str:
        return self.path.removeprefix("/")

    @property
    def example(self) -> Example:
        """A call that every runner with this path can answer."""
        return Example(self.path, self.headers, self.content)


_BLANK: Final = recipe.pack([np.zeros((SIDE, SIDE), np.uint8)])

PREDICTS: Final = Endpoint(
    PREDICT,
    ImagesInput,
    BasePredictionsOutput,
    count_images,
    {headers.RECIPE: recipe.NAME},
    _BLANK,
)
OUTLINES: Final = Endpoint(
    OUTLINE, FramesInput, OutlinesOutput, count_images, {headers.RECIPE: recipe.FRAME}, _BLANK
)
COMBINES: Final = Endpoint(
    COMBINE,
    BasePredictionsInput,
    EnsemblePredictionsOutput,
    count_sets,
    {},
    # A set without base predictions, which is answered like any other.
    EnsembleRequest(votes=[{}]).model_dump_json().encode(),
    gathered=MAX_ITEMS,
)


def make_runner(
    name: RunnerName, build: Callable[[Policy], object], endpoints: Sequence[Endpoint]
) -> Any:
    """Return the BentoML service of runner ``name``: an entry service with one worker.

    ``build`` returns the model, ready to answer; it is called where the runner serves, and the
    runner listens only afterwards. The model has a method for each of ``endpoints``, which takes a
    list of contents and returns a list of answers. All of them wait in one queue.

    Replicas scale a runner, not workers: each worker has a batching queue of its own, and batches
    never merge across queues.
    """
    policy = Policy.from_environment(name)
    registry = CollectorRegistry()
    queue = Backlog(name, policy.queue_images, registry)

    class Runner:
        def __init__(self) -> None:
            self.model = build(policy)

    for endpoint in endpoints:
        setattr(Runner, endpoint.method, _api(endpoint, queue, policy))
    service = bentoml.service(name=f"osteoserve-{name}", **SERVICE_CONFIG)(Runner)
    service.add_asgi_middleware(WarmUp, examples=[one.example for one in endpoints])
    service.add_asgi_middleware(
        Admission, queue=queue, counts={one.path: one.count for one in endpoints}
    )
    service.mount_asgi_app(build_metrics(registry))
    return service


def _api(endpoint: Endpoint, queue: Backlog, policy: Policy) -> Any:
    def answer(self: Any, items: list[Item[Any]]) -> list[Any]:
        return to_payload(queue.run(items, getattr(self.model, endpoint.method)))

    answer.__name__ = endpoint.method
    return bentoml.api(
        batchable=True,
        max_batch_size=max(policy.max_batch_size, endpoint.gathered),
        max_latency_ms=policy.max_latency_ms,
        input_spec=endpoint.input,
        output_spec=endpoint.output,
    )(answer)


def build_metrics(registry: CollectorRegistry) -> ASGIApp:
    """Return what shows ``registry``, and the process beside it, at ``/metrics``."""
    ProcessCollector(registry=registry)

    def metrics(_: Request) -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    # A route and no mount of its own: that would send who asks for /metrics on to /metrics/.
    return Starlette(routes=[Route("/metrics", metrics)])


def to_payload(answers: Sequence[BaseModel | DropReason]) -> list[BaseModel]:
    """Return ``answers`` as they go out, reasons in their place among them."""
    return [Dropped(dropped=a) if isinstance(a, str) else a for a in answers]


def batches(items: list[T], size: int) -> Iterator[list[T]]:
    """Yield ``items`` in pieces of ``size`` at most."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def batch_sizes(most: int) -> list[int]:
    """Return 1, 2, 4 … up to ``most``: engines compile once a shape, XLA for seconds."""
    return sorted({min(1 << power, most) for power in range(most.bit_length() + 1)})
