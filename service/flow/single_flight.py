"""Images judged a moment ago, so that the same file is not judged twice.

A page reloaded, a modality that sends again, a batch with copies: whoever asks while the same
content is being judged waits for that one answer, and whoever asks soon after gets it again. Every
request is stored as a prediction of its own all the same; only the models' work is shared.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Generic, Literal, TypeVar

from cachetools import TTLCache

V = TypeVar("V")

Found = Literal["hit", "joined", "miss"]


class Recent(Generic[V]):
    """By content hash: at most ``most`` answers, each for ``seconds``; 0 keeps none.

    ``current`` says whether an answer kept is one that would be given now, by the same versions of
    all models, and whether it may be kept at all.
    """

    def __init__(
        self,
        most: int,
        seconds: float,
        current: Callable[[V], bool],
        counted: Callable[[Found], None],
    ) -> None:
        self._kept: Final[TTLCache[str, V]] = TTLCache(most, seconds)
        self._current = current
        self._counted = counted
        self._making: Final[dict[str, _Making[V]]] = {}

    async def get(self, digest: str, make: Callable[[], Awaitable[V]]) -> V:
        """Return the answer for ``digest``, by ``make`` where there is none. Raises what it does.

        ``make`` goes on when this caller is gone, if another waits for the same.
        """
        kept = self._kept.get(digest)
        if kept is not None and self._current(kept):
            self._counted("hit")
            return kept
        made = self._making.get(digest)
        self._counted("miss" if made is None else "joined")
        if made is None:
            made = self._making[digest] = _Making(asyncio.create_task(self._make(digest, make)))
            made.task.add_done_callback(lambda _: self._making.pop(digest, None))
        return await made.wait()

    async def _make(self, digest: str, make: Callable[[], Awaitable[V]]) -> V:
        made = await make()
        if self._kept.maxsize and self._current(made):
            self._kept[digest] = made
        return made


class _Making(Generic[V]):
    """Work that several wait for, broken off when the last of them is gone."""

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
