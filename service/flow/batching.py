"""Many who ask at once, one call: what waits while a call is on its way goes together in the next.

A call costs a runner, or a database, about the same for one item as for several. Nobody waits for
company: an item goes at once when a call is free, so that alone it is as fast as ever, and the
fuller the line the fuller the calls.

All items of a call are answered when the last of them is. Where each takes its time, as a network
on a CPU does, a full call would make the first wait for the eighth, and whoever came meanwhile for
both; so a call is kept as short as is told, by what items took lately.
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
from service.flow.priority import Line, Priority
from telemetry.tracing import here

T = TypeVar("T")
R = TypeVar("R")

FORGETTING: Final = 0.2
"""Weight of the newest call in the mean time per item."""


@dataclass(eq=False)
class Waiting(Generic[T, R]):
    """One item on its way: ``answer`` is set when it is there, or cancelled by who asked."""

    item: T
    deadline: Deadline
    priority: Priority
    answer: asyncio.Future[R]
    since: float = field(default_factory=time.monotonic)
    origin: SpanContext | None = field(default_factory=here)
    """The span of who asked: a call is made on behalf of several."""


Send = Callable[[Sequence[Waiting[T, R]]], Awaitable[Sequence[R | Exception]]]
"""Sends some items in one call; returns an answer or an error for each, or raises for all."""


class Coalescer(Generic[T, R]):
    """At most ``calls`` at the same time, each of at most ``most`` items.

    A call takes about ``seconds`` at most, where that is more than one item's time.
    """

    def __init__(
        self,
        send: Send[T, R],
        *,
        most: int,
        calls: int,
        patience: float,
        seconds: float = math.inf,
    ) -> None:
        self._send = send
        self._most: Final = most
        self._seconds: Final = seconds
        self._seconds_per_item: float | None = None
        self._calls: Final = calls
        self._line: Line[Waiting[T, R]] = Line(patience)
        self._on_the_way: dict[asyncio.Task[None], Sequence[Waiting[T, R]]] = {}
        self._planned = False

    async def __call__(self, item: T, deadline: Deadline, priority: Priority) -> R:
        """Return the answer to ``item``. Raises TimeoutError, or what the call raised for it."""
        loop = asyncio.get_running_loop()
        waiting: Waiting[T, R] = Waiting(item, deadline, priority, loop.create_future())
        self._line.push(waiting)
        self._plan()
        async with asyncio.timeout(max(deadline.left, 0)):
            return await waiting.answer

    def fail(self, error: Exception) -> None:
        """Answer ``error`` to all that wait, also to those whose call is on its way."""
        while len(self._line):
            _set(self._line.pop(), error)
        for together in self._on_the_way.values():
            for waiting in together:
                _set(waiting, error)

    async def close(self) -> None:
        """Break off whatever is on its way."""
        tasks = list(self._on_the_way)
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
        while len(self._on_the_way) < self._calls:
            together = self._next()
            if not together:
                return
            task = asyncio.create_task(self._call(together))
            self._on_the_way[task] = together
            for waiting in together:
                waiting.answer.add_done_callback(partial(_abandon, task, together))
            task.add_done_callback(self._ended)

    def _next(self) -> list[Waiting[T, R]]:
        together: list[Waiting[T, R]] = []
        most = self._most
        if self._seconds_per_item:
            most = max(1, round(min(self._seconds / self._seconds_per_item, most)))
        while len(self._line) and len(together) < most:
            waiting = self._line.pop()
            if not waiting.answer.done():
                together.append(waiting)
        return together

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._on_the_way[task]
        self._start()

    async def _call(self, together: Sequence[Waiting[T, R]]) -> None:
        found: Sequence[R | Exception]
        begun = time.monotonic()
        try:
            found = await self._send(together)
            self._measured((time.monotonic() - begun) / len(together))
        except asyncio.CancelledError:
            for waiting in together:
                waiting.answer.cancel()
            raise
        except Exception as error:
            found = [error] * len(together)
        for waiting, answer in zip(together, found, strict=True):
            _set(waiting, answer)

    def _measured(self, seconds: float) -> None:
        known = self._seconds_per_item
        self._seconds_per_item = (
            seconds if known is None else known + FORGETTING * (seconds - known)
        )


def _set(waiting: Waiting[T, R], answer: R | Exception) -> None:
    if waiting.answer.done():
        return
    if isinstance(answer, Exception):
        waiting.answer.set_exception(answer)
    else:
        waiting.answer.set_result(answer)


def _abandon(
    task: asyncio.Task[None], together: Sequence[Waiting[T, R]], _: asyncio.Future[R]
) -> None:
    """End a call that nobody waits for any more, so that the other side can stop as well."""
    if not task.done() and all(waiting.answer.done() for waiting in together):
        task.cancel()
