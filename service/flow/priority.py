"""Priority queue and priority semaphore: persons, who wait for one answer, go before batches."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import IntEnum
from typing import Final, Generic, Protocol, TypeVar


class Priority(IntEnum):
    """Lower goes first."""

    PERSON = 0
    BULK = 1

    @property
    def label(self) -> str:
        return self.name.lower()


class Ranked(Protocol):
    """Something that waits: with whom it ranks, and since when, on the monotonic clock."""

    @property
    def priority(self) -> Priority: ...
    @property
    def since(self) -> float: ...


W = TypeVar("W", bound=Ranked)


class PriorityQueue(Generic[W]):
    """First in, first out within a priority, persons before batches, without starvation.

    What has been deferred for ``max_deferral`` seconds ranks with those that it let go first: on a
    busy day a batch is slow, not stuck.
    """

    def __init__(self, max_deferral: float) -> None:
        self._max_deferral: Final = max_deferral
        self._queues: Final[dict[Priority, deque[W]]] = {rank: deque() for rank in Priority}

    def __len__(self) -> int:
        return sum(map(len, self._queues.values()))

    def push(self, waiting: W) -> None:
        self._queues[waiting.priority].append(waiting)

    def pop(self) -> W:
        """Raises IndexError when nobody waits."""
        persons, bulk = self._queues[Priority.PERSON], self._queues[Priority.BULK]
        if not bulk or (persons and time.monotonic() - bulk[0].since < self._max_deferral):
            return persons.popleft()
        if persons and persons[0].since < bulk[0].since:
            return persons.popleft()
        return bulk.popleft()


class _Waiter:
    def __init__(self, priority: Priority) -> None:
        self.priority = priority
        self.since = time.monotonic()
        self.granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class PrioritySemaphore:
    """A semaphore whose waiters are released by priority."""

    def __init__(self, count: int, max_deferral: float) -> None:
        self._free = count
        self._waiters: PriorityQueue[_Waiter] = PriorityQueue(max_deferral)

    @asynccontextmanager
    async def hold(self, priority: Priority) -> AsyncIterator[None]:
        await self._acquire(priority)
        try:
            yield
        finally:
            self._release()

    async def _acquire(self, priority: Priority) -> None:
        if self._free and not len(self._waiters):
            self._free -= 1
            return
        waiter = _Waiter(priority)
        self._waiters.push(waiter)
        try:
            await waiter.granted
        except asyncio.CancelledError:
            if waiter.granted.done() and not waiter.granted.cancelled():
                # It was given a slot in the moment in which it was told to go.
                self._release()
            raise

    def _release(self) -> None:
        while len(self._waiters):
            waiter = self._waiters.pop()
            if not waiter.granted.done():
                waiter.granted.set_result(None)
                return
        self._free += 1
