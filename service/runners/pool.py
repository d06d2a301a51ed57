"""Pool of runner clients, one a runner, each behind dynamic batchers.

Images that wait for the same model go together in one call (``service.flow.batching``); how a call
goes, and by what names it fails, is ``service.runners.client``'s to say.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, Final, Protocol, Self, TypeVar

from pydantic import TypeAdapter

from models.image import recipe
from models.image.recipe import Canonical
from protocol import headers
from protocol.answers import BasePrediction, Dropped, EnsemblePrediction, EnsembleRequest, Outline
from protocol.runners import COMBINE, OUTLINE, PREDICT
from service.flow.batching import DynamicBatcher, PendingItem, Send
from service.flow.deadline import Deadline
from service.flow.priority import Priority
from service.observability import tracing
from service.runners.client import (
    AnswerT,
    RunnerClient,
    RunnerError,
    RunnerFailedError,
    RunnerMalformedError,
    RunnerTimeoutError,
)
from service.runners.metrics import RunnerMetrics
from service.runners.settings import RunnerPolicy
from service.types import BASES, RUNNER_OF, RUNNERS, BaseName, ModelName, RunnerName

TARGET_SECONDS: Final = 0.25
"""About how long a call may take. An image waits for the call under way, then for its own, in a
base runner and the stack: so the second of the objective (``service.observability.slo``) is kept
while the machine has room. On two cores without bfloat16 calls of 8 images kept it up to 8.1 images
a second, of 4 up to 9.9.
"""

Votes = Mapping[BaseName, BasePrediction]

T = TypeVar("T")

_BASE_ANSWERS = TypeAdapter(list[BasePrediction | Dropped])
_OUTLINE_ANSWERS = TypeAdapter(list[Outline | Dropped])
_STACK_ANSWERS = TypeAdapter(list[EnsemblePrediction | Dropped])


class Client(Protocol):
    """Asks one runner, wherever it is: as :class:`RunnerClient` does, by HTTP."""

    def open(self) -> AbstractAsyncContextManager[None]: ...

    async def ready(self, seconds: float) -> bool: ...

    def record_probe(self, ready: bool) -> None: ...

    async def call(
        self,
        path: str,
        deadlines: Sequence[Deadline],
        answers: TypeAdapter[list[AnswerT | Dropped]],
        **body: Any,
    ) -> list[AnswerT | Dropped]: ...


Connect = Callable[[RunnerName, Callable[[RunnerError], None]], Client]
"""Returns the client of a runner; what it is given is called with the error that calls fail with
from then on."""


class RunnerPool:
    """A client of each runner, behind a dynamic batcher of each model; ``open`` connects."""

    def __init__(
        self,
        policy: RunnerPolicy,
        metrics: RunnerMetrics,
        *,
        max_deferral: float = 0.0,
        connect: Connect | None = None,
    ) -> None:
        """``max_deferral``: seconds that images of batches let others go first.

        ``connect`` makes the clients; without it they speak HTTP.
        """
        limits: dict[str, Any] = {
            "max_items": policy.runner_images,
            "max_calls": policy.runner_calls,
            "max_deferral": max_deferral,
            "target_seconds": TARGET_SECONDS,
        }
        self._bases: dict[BaseName, DynamicBatcher[Canonical, BasePrediction]] = {
            name: DynamicBatcher(self._asker(name), **limits) for name in BASES
        }
        self._outlines = DynamicBatcher[Canonical, Outline](self._outline, **limits)
        self._stack = DynamicBatcher[Votes, EnsemblePrediction](self._combine, **limits)
        # Nobody waits for a runner whose circuit is open.
        on_open: dict[RunnerName, list[Callable[[Exception], None]]] = {
            name: [] for name in RUNNERS
        }
        on_open["stack"].append(self._stack.fail)
        on_open["vertebrae"].append(self._outlines.fail)
        for name, batcher in self._bases.items():
            on_open[RUNNER_OF[name]].append(batcher.fail)

        def by_http(name: RunnerName, told: Callable[[RunnerError], None]) -> Client:
            return RunnerClient(name, policy, metrics, told)

        made = by_http if connect is None else connect
        self._clients = {name: made(name, partial(_all, on_open[name])) for name in RUNNERS}
        self.retry_after: Final = policy.probe_seconds
        """Seconds after which one that does not answer may have been seen to answer again."""
        self.versions: dict[ModelName, str] = {}
        """Of every model that has answered, the version that did so last."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Self]:
        """Hold connections until the end; calls that are on their way then are broken off."""
        async with AsyncExitStack() as stack:
            for client in self._clients.values():
                await stack.enter_async_context(client.open())
            for batcher in self._bases.values():
                stack.push_async_callback(batcher.close)
            stack.push_async_callback(self._outlines.close)
            stack.push_async_callback(self._stack.close)
            yield self

    async def outline(
        self, frame: Canonical, deadline: Deadline, priority: Priority = Priority.PERSON
    ) -> Outline:
        """Ask where the vertebrae of one frame are. Raises :class:`RunnerError`."""
        return await _in_time(self._outlines(frame, deadline, priority))

    async def predict(
        self,
        name: BaseName,
        image: Canonical,
        deadline: Deadline,
        priority: Priority = Priority.PERSON,
    ) -> BasePrediction:
        """Ask a base runner for its word on one canonical image. Raises :class:`RunnerError`."""
        return await _in_time(self._bases[name](image, deadline, priority))

    async def explain(self, name: BaseName, image: Canonical, deadline: Deadline) -> BasePrediction:
        """The same with a heat map, in a call of its own: maps are large and made one at a time."""
        with tracing.calling(RUNNER_OF[name], [tracing.here()]):
            (answer,) = await self._ask_base(name, [image], [deadline], f"{PREDICT}?map=true")
        return _expected(answer)

    async def combine(
        self, votes: Votes, deadline: Deadline, priority: Priority = Priority.PERSON
    ) -> EnsemblePrediction:
        """Ask the stack for its word on one image's votes. Raises :class:`RunnerError`."""
        return await _in_time(self._stack(votes, deadline, priority))

    async def ready(self, name: RunnerName, seconds: float) -> bool:
        return await self._clients[name].ready(seconds)

    def record_probe(self, name: RunnerName, *, ready: bool) -> None:
        """Take note of what a probe of the runner's readiness has found."""
        self._clients[name].record_probe(ready)

    def _asker(self, name: BaseName) -> Send[Canonical, BasePrediction]:
        async def ask(
            batch: Sequence[PendingItem[Canonical, BasePrediction]],
        ) -> Sequence[BasePrediction | Exception]:
            images = [pending.item for pending in batch]
            deadlines = [pending.deadline for pending in batch]
            with tracing.calling(RUNNER_OF[name], [pending.origin for pending in batch]):
                return await self._ask_base(name, images, deadlines, PREDICT)

        return ask

    async def _ask_base(
        self, name: BaseName, images: Sequence[Canonical], deadlines: Sequence[Deadline], path: str
    ) -> Sequence[BasePrediction | RunnerError]:
        return await self._ask(
            name,
            path,
            deadlines,
            _BASE_ANSWERS,
            **_pixels(images, recipe.NAME),
        )

    async def _outline(
        self, batch: Sequence[PendingItem[Canonical, Outline]]
    ) -> Sequence[Outline | Exception]:
        with tracing.calling("vertebrae", [pending.origin for pending in batch]):
            return await self._ask(
                "vertebrae",
                OUTLINE,
                [pending.deadline for pending in batch],
                _OUTLINE_ANSWERS,
                **_pixels([pending.item for pending in batch], recipe.FRAME),
            )

    async def _combine(
        self, batch: Sequence[PendingItem[Votes, EnsemblePrediction]]
    ) -> Sequence[EnsemblePrediction | Exception]:
        asked = EnsembleRequest.of([pending.item for pending in batch])
        deadlines = [pending.deadline for pending in batch]
        count = {headers.COUNT: str(len(asked.votes))}
        with tracing.calling("stack", [pending.origin for pending in batch]):
            answers = await self._ask(
                "stack",
                COMBINE,
                deadlines,
                _STACK_ANSWERS,
                json=asked.model_dump(),
                headers=count,
            )
        return [
            RunnerMalformedError("used a vote that was not given")
            if isinstance(answer, EnsemblePrediction) and not set(answer.used) <= set(pending.item)
            else answer
            for pending, answer in zip(batch, answers, strict=True)
        ]

    async def _ask(
        self,
        name: ModelName,
        path: str,
        deadlines: Sequence[Deadline],
        answers: TypeAdapter[list[AnswerT | Dropped]],
        **body: Any,
    ) -> list[AnswerT | RunnerError]:
        client = self._clients[RUNNER_OF[name]]
        response = await client.call(path, deadlines, answers, **body)
        found: list[AnswerT | RunnerError] = []
        for answer in response:
            if isinstance(answer, Dropped):
                late = answer.dropped == "expired"
                found.append(
                    RunnerTimeoutError("too late to be computed")
                    if late
                    else RunnerFailedError("could not be computed")
                )
            else:
                self.versions[name] = answer.version
                found.append(answer)
        return found


def _all(told: Sequence[Callable[[Exception], None]], error: Exception) -> None:
    for one in told:
        one(error)


def _pixels(images: Sequence[Canonical], made_by: str) -> dict[str, Any]:
    """Return the body and the headers of a call with ``images``."""
    said = {"Content-Type": "application/octet-stream", headers.RECIPE: made_by}
    return {"data": recipe.pack(images), "headers": said}


async def _in_time(asked: Awaitable[T]) -> T:
    try:
        return await asked
    except TimeoutError as error:
        raise RunnerTimeoutError("no answer within the deadline") from error


def _expected(answer: AnswerT | RunnerError) -> AnswerT:
    if isinstance(answer, RunnerError):
        raise answer
    return answer
