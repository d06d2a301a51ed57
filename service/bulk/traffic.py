"""Who goes first: a person who waits for one answer, before a batch that nobody watches."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Traffic:
    """Counts single requests in flight, so that batches can wait until there are none."""

    def __init__(self) -> None:
        self._single = 0
        self._quiet = asyncio.Event()
        self._quiet.set()

    @contextmanager
    def single(self) -> Iterator[None]:
        self._single += 1
        self._quiet.clear()
        try:
            yield
        finally:
            self._single -= 1
            if not self._single:
                self._quiet.set()

    async def lull(self, patience: float) -> None:
        """Wait until no single request is in flight, at most ``patience`` seconds.

        The limit is what keeps a batch from waiting for ever on a busy day.
        """
        try:
            async with asyncio.timeout(patience):
                await self._quiet.wait()
        except TimeoutError:
            return
