"""From threads of associations into the event loop that the ledger runs in."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Bridge:
    """Made in the event loop; what is given to it by other threads runs there."""

    def __init__(self, patience: float) -> None:
        """``patience``: seconds that a thread waits."""
        self._patience = patience
        self._loop = asyncio.get_running_loop()

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what ``work`` returns. Raises :class:`TimeoutError` where that takes too long."""
        done = self.later(work)
        try:
            return done.result(self._patience)
        except TimeoutError:
            done.cancel()
            raise

    def later(self, work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Have ``work`` done. Raises :class:`RuntimeError` where the gateway has stopped."""
        if self._loop.is_closed():
            work.close()
            raise RuntimeError("the gateway has stopped")
        return asyncio.run_coroutine_threadsafe(work, self._loop)
