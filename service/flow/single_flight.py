"""Single-flight result cache: an answer, computed once for all who ask for it meanwhile.

A page reloaded, a modality that sends again, a batch with copies: whoever asks while the same
content is being computed waits for that one answer, and whoever asks soon after gets it again.
Every request is stored as a prediction of its own all the same; only the models' work is shared.
Whoever is not to know of another's asks under another key, and finds nothing sooner for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Final, Generic, Literal, TypeVar

from cachetools import TTLCache

V = TypeVar("V")

Found = Literal["hit", "joined", "miss"]


class SingleFlightCache(Generic[V]):
    """By key: at most ``size`` answers, each for ``seconds``; 0 keeps none.

    ``is_current`` says whether a cached answer is one that would be given now, by the same versions
    of all models, and whether it may be cached at all; ``record`` counts lookups.
    """

    def __init__(
        self,
        size: int,
        seconds: float,
        is_current: Callable[[V], bool],
        record: Callable[[Found], None],
    ) -> None:
        self._kept: Final[TTLCache[Hashable, V]] = TTLCache(size, seconds)
        self._is_current = is_current
        self._record = record
        self._flights: Final[dict[Hashable, _Flight[V]]] = {}

    async def get(self, key: Hashable, make: Callable[[], Awaitable[V]]) -> V:
        """Return the answer for ``key``, by ``make`` where there is none. Raises what it does.

        ``make`` goes on when this caller is cancelled, if another waits for the same.
        """
        kept = self._kept.get(key)
        if kept is not None and self._is_current(kept):
            self._record("hit")
            return kept
        flight = self._flights.get(key)
        self._record("miss" if flight is None else "joined")
        if flight is None:
            flight = self._flights[key] = _Flight(asyncio.create_task(self._make(key, make)))
            flight.task.add_done_callback(lambda _: self._flights.pop(key, None))
        return await flight.wait()

    async def _make(self, key: Hashable, make: Callable[[], Awaitable[V]]) -> V:
        made = await make()
        if self._kept.maxsize and self._is_current(made):
            self._kept[key] = made
        return made


class _Flight(Generic[V]):
    """One computation that several wait for, cancelled with the last of them."""

    def __init__(self, task: asyncio.Task[V]) -> None:
        self.task = task
        self._waiting = 0

    async def wait(self) -> V:
        self._waiting += 1
        try:
            return await asyncio.shield(self.task)
        finally:
            self._waiting -= 1
            if not self._waiting and not self.task.done():
                self.task.cancel()
