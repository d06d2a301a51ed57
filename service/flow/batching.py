"""Dynamic batcher: what waits while a call is in flight goes together in the next.

A call costs a runner about the same for one item as for several. Nobody waits for company: an item
goes at once when a call is free, so that alone it is as fast as ever, and the longer the queue the
fuller the batches.

All items of a batch are answered when the last of them is. Where each takes its time, as a network
on a CPU does, a full batch would make the first wait for the eighth, and whoever came meanwhile for
both; so batches are sized to a target latency, by what items took lately.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Generic, TypeVar

from opentelemetry.trace import SpanContext

from service.flow.deadline import Deadline
from service.flow.priority import Priority, PriorityQueue
from telemetry.tracing import here

T = TypeVar("T")
R = TypeVar("R")

EWMA_ALPHA: Final = 0.2
"""Weight of the newest call in the mean time per item."""


@dataclass(eq=False)
class PendingItem(Generic[T, R]):
    """An item in the queue or in flight; ``answer`` is set, or cancelled by who asked."""

    item: T
    deadline: Deadline
    priority: Priority
    answer: asyncio.Future[R]
    since: float = field(default_factory=time.monotonic)
    origin: SpanContext | None = field(default_factory=here)
    """The span of who asked: a call is made on behalf of several."""


Send = Callable[[Sequence[PendingItem[T, R]]], Awaitable[Sequence[R | Exception]]]
"""Sends some items in one call; returns an answer or an error for each, or raises for all."""


class DynamicBatcher(Generic[T, R]):
    """At most ``max_calls`` at the same time, each with a batch of at most ``max_items``.

    A call takes about ``target_seconds`` at most, where that is more than one item's time.
    """

    def __init__(
        self,
        send: Send[T, R],
        *,
        max_items: int,
        max_calls: int,
        max_deferral: float,
        target_seconds: float = math.inf,
    ) -> None:
        self._send = send
        self._max_items: Final = max_items
        self._target_seconds: Final = target_seconds
        self._seconds_per_item: float | None = None
        self._max_calls: Final = max_calls
        self._queue: PriorityQueue[PendingItem[T, R]] = PriorityQueue(max_deferral)
        self._in_flight: dict[asyncio.Task[None], Sequence[PendingItem[T, R]]] = {}
        self._planned = False

    async def __call__(self, item: T, deadline: Deadline, priority: Priority) -> R:
        """Return the answer to ``item``. Raises TimeoutError, or what the call raised for it."""
        loop = asyncio.get_running_loop()
        pending: PendingItem[T, R] = PendingItem(item, deadline, priority, loop.create_future())
        self._queue.push(pending)
        self._plan()
        async with asyncio.timeout(max(deadline.remaining, 0)):
            return await pending.answer

    def fail(self, error: Exception) -> None:
        """Answer ``error`` to all that wait, also to those whose call is on its way."""
        while len(self._queue):
            _set(self._queue.pop(), error)
        for batch in self._in_flight.values():
            for pending in batch:
                _set(pending, error)

    async def close(self) -> None:
        """Break off whatever is on its way."""
        tasks = list(self._in_flight)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _plan(self) -> None:
        # Not at once: whoever else is about to ask in this turn of the loop comes along.
        if not self._planned:
            self._planned = True
            asyncio.get_running_loop().call_soon(self._start)

    def _start(self) -> None:
        self._planned = False
        while len(self._in_flight) < self._max_calls:
            batch = self._next()
            if not batch:
                return
            task = asyncio.create_task(self._call(batch))
            self._in_flight[task] = batch
            for pending in batch:
                pending.answer.add_done_callback(partial(_abandon, task, batch))
            task.add_done_callback(self._ended)

    def _next(self) -> list[PendingItem[T, R]]:
        batch: list[PendingItem[T, R]] = []
        size = self._max_items
        if self._seconds_per_item:
            size = max(1, round(min(self._target_seconds / self._seconds_per_item, size)))
        while len(self._queue) and len(batch) < size:
            pending = self._queue.pop()
            if not pending.answer.done():
                batch.append(pending)
        return batch

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._in_flight[task]
        self._start()

    async def _call(self, batch: Sequence[PendingItem[T, R]]) -> None:
        found: Sequence[R | Exception]
        begun = time.monotonic()
        try:
            found = await self._send(batch)
            self._measured((time.monotonic() - begun) / len(batch))
        except asyncio.CancelledError:
            for pending in batch:
                pending.answer.cancel()
            raise
        except Exception as error:
            found = [error] * len(batch)
        for pending, answer in zip(batch, found, strict=True):
            _set(pending, answer)

    def _measured(self, seconds: float) -> None:
        known = self._seconds_per_item
        self._seconds_per_item = (
            seconds if known is None else known + EWMA_ALPHA * (seconds - known)
        )


def _set(pending: PendingItem[T, R], answer: R | Exception) -> None:
    if pending.answer.done():
        return
    if isinstance(answer, Exception):
        pending.answer.set_exception(answer)
    else:
        pending.answer.set_result(answer)


def _abandon(
    task: asyncio.Task[None], batch: Sequence[PendingItem[T, R]], _: asyncio.Future[R]
) -> None:
    """End a call that nobody waits for any more, so that the other side can stop as well."""
    if not task.done() and all(pending.answer.done() for pending in batch):
        task.cancel()
