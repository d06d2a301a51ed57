"""Who goes first: a person who waits for one answer, before a batch that nobody watches."""

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


class Line(Generic[W]):
    """A waiting line: first come first served within a priority, persons before batches.

    What has let others go first for ``patience`` seconds ranks with them: on a busy day a batch is
    slow, not stuck.
    """

    def __init__(self, patience: float) -> None:
        self._patience: Final = patience
        self._lines: Final[dict[Priority, deque[W]]] = {rank: deque() for rank in Priority}

    def __len__(self) -> int:
        return sum(map(len, self._lines.values()))

    def push(self, waiting: W) -> None:
        self._lines[waiting.priority].append(waiting)

    def pop(self) -> W:
        """Raises IndexError when nobody waits."""
        persons, bulk = self._lines[Priority.PERSON], self._lines[Priority.BULK]
        if not bulk or (persons and time.monotonic() - bulk[0].since < self._patience):
            return persons.popleft()
        if persons and persons[0].since < bulk[0].since:
            return persons.popleft()
        return bulk.popleft()


class _Turn:
    def __init__(self, priority: Priority) -> None:
        self.priority = priority
        self.since = time.monotonic()
        self.come: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class Slots:
    """A semaphore that knows who goes first."""

    def __init__(self, count: int, patience: float) -> None:
        self._free = count
        self._line: Line[_Turn] = Line(patience)

    @asynccontextmanager
    async def one(self, priority: Priority) -> AsyncIterator[None]:
        await self._acquire(priority)
        try:
            yield
        finally:
            self._release()

    async def _acquire(self, priority: Priority) -> None:
        if self._free and not len(self._line):
            self._free -= 1
            return
        turn = _Turn(priority)
        self._line.push(turn)
        try:
            await turn.come
        except asyncio.CancelledError:
            if turn.come.done() and not turn.come.cancelled():
                # It was given a slot in the moment in which it was told to go.
                self._release()
            raise

    def _release(self) -> None:
        while len(self._line):
            turn = self._line.pop()
            if not turn.come.done():
                turn.come.set_result(None)
                return
        self._free += 1
