"""In-process client of the models: a call to a runner without HTTP, computed by one thread.

One thread, since an interpreter serves one call at a time and uses all processors for it; what
waits for it is bounded. Calls fail by the names that :mod:`service.runners.client` has.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from threading import BoundedSemaphore
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import anyio.to_thread
from pydantic import TypeAdapter

from models.image import recipe
from protocol import headers
from protocol.answers import (
    BasePrediction,
    Dropped,
    EnsemblePrediction,
    EnsembleRequest,
    Outline,
)
from protocol.headers import MAX_ITEMS
from protocol.runners import COMBINE, OUTLINE
from service.edge.models import Models
from service.flow.deadline import Deadline
from service.runners.client import (
    AnswerT,
    RunnerBusyError,
    RunnerError,
    RunnerTimeoutError,
)
from service.runners.metrics import RunnerMetrics
from service.types import BASES, RUNNER_OF, BaseName, RunnerName
from telemetry.journal import fault, log

T = TypeVar("T")
Answer = BasePrediction | Outline | EnsemblePrediction

WAITING: Final = 32
"""Calls that wait for the thread or are computed: one a model, as a front sends them, and heat maps
beside them."""


class ComputeThread:
    """One thread that computes, and at most :data:`WAITING` calls that wait for it."""

    def __init__(self, waiting: int = WAITING) -> None:
        self._executor = ThreadPoolExecutor(1, "models")
        self._room = BoundedSemaphore(waiting)

    async def run(self, work: Callable[[], T], deadline: Deadline) -> T:
        """Return what ``work`` returns. Raises :class:`RunnerBusyError` where too many wait, and
        :class:`RunnerTimeoutError` where it is not done in time."""
        if not self._room.acquire(blocking=False):
            raise RunnerBusyError("too many calls wait", 1.0)
        future = self._executor.submit(work)
        # Also of one that is cancelled before it began.
        future.add_done_callback(lambda _: self._room.release())
        try:
            async with asyncio.timeout(max(deadline.remaining, 0)):
                return await asyncio.wrap_future(future)
        except TimeoutError as error:
            raise RunnerTimeoutError("no answer within the deadline") from error

    async def aclose(self) -> None:
        """Wait for what is being computed; what waits is not begun."""
        await anyio.to_thread.run_sync(partial(self._executor.shutdown, cancel_futures=True))


class InProcessClient:
    """Asks the models of one runner; ready from the beginning, since they are loaded before."""

    def __init__(
        self, name: RunnerName, models: Models, thread: ComputeThread, metrics: RunnerMetrics
    ) -> None:
        self._name = name
        self._models = models
        self._thread = thread
        self._metrics = metrics

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        yield

    async def ready(self, seconds: float) -> bool:  # noqa: ARG002 - nothing is waited for
        return True

    def record_probe(self, ready: bool) -> None:
        """Do nothing: what is in this process is always called."""

    async def call(
        self,
        path: str,
        deadlines: Sequence[Deadline],
        answers: TypeAdapter[list[AnswerT | Dropped]],
        **body: Any,
    ) -> list[AnswerT | Dropped]:
        """Return an answer for each of ``deadlines``. Raises :class:`RunnerError`."""
        with self._metrics.call(self._name, len(deadlines)) as call:
            try:
                work = partial(self._answers, path, deadlines, body)
                found = await self._thread.run(work, max(deadlines))
            except RunnerError as error:
                call.result = error.result
                raise
            except asyncio.CancelledError:
                call.result = "cancelled"
                raise
            call.result = "ok"
            return answers.validate_python(found, strict=True)

    def _answers(
        self, path: str, deadlines: Sequence[Deadline], body: dict[str, Any]
    ) -> list[Answer | Dropped]:
        asked = self._asked(path, body)
        return [_answer(ask, until) for ask, until in zip(asked, deadlines, strict=True)]

    def _asked(self, path: str, body: dict[str, Any]) -> Iterator[Callable[[], Answer]]:
        """Yield what computes each item of a call, as ``bentos.wire`` reads it."""
        address = urlsplit(path)
        if address.path == COMBINE:
            for votes in EnsembleRequest.model_validate(body["json"]).votes:
                yield partial(self._models.combine, votes)
            return
        outlines = address.path == OUTLINE
        wanted = recipe.FRAME if outlines else recipe.NAME
        made_by = body["headers"][headers.RECIPE]
        for image in recipe.unpack(body["data"], made_by, MAX_ITEMS, wanted):
            if outlines:
                yield partial(self._models.outline, image)
            else:
                yield partial(self._models.predict, self._base, image, bool(address.query))

    @property
    def _base(self) -> BaseName:
        return next(name for name in BASES if RUNNER_OF[name] == self._name)


def _answer(ask: Callable[[], Answer], until: Deadline) -> Answer | Dropped:
    if until.remaining <= 0:
        return Dropped(dropped="expired")
    try:
        return ask()
    except Exception as error:
        # Others' images are not at fault.
        log(logging.ERROR, "image failed", fault=fault(error))
        return Dropped(dropped="failed")
