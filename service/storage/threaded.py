"""A few threads for short transactions on SQLite, each of which one of them does from end to end.

The asynchronous engine crosses to its connection's thread and back for every step: eight times for
one query, eleven for one row that is written. Crossing once takes a quarter of the processor's
time, and where other work waits for the processor too, an eighth of the time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from sqlalchemy import create_engine
from sqlalchemy.engine import URL, Connection

T = TypeVar("T")

THREADS: Final = 4
"""One that writes, since writers of a front take turns, and three that read."""


class ThreadedEngine:
    """A synchronous engine with its own threads, begun when they are first used."""

    def __init__(self, url: URL, **arguments: Any) -> None:
        """``arguments``: what else :func:`sqlalchemy.create_engine` takes."""
        self.engine: Final = create_engine(
            url, pool_size=THREADS, max_overflow=0, hide_parameters=True, **arguments
        )
        self._threads: ThreadPoolExecutor | None = None

    async def run(self, work: Callable[[Connection], T], **options: Any) -> T:
        """Return what ``work`` does in one transaction of a connection with ``options``.

        Whoever stops waiting does not stop it: it ends as it would have.
        """
        if self._threads is None:
            self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="database")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._run, work, options)

    def _run(self, work: Callable[[Connection], T], options: dict[str, Any]) -> T:
        with self.engine.connect() as connection, connection.execution_options(**options).begin():
            return work(connection)

    async def close(self) -> None:
        """Return when what is under way has ended."""
        threads, self._threads = self._threads, None
        if threads is not None:
            await asyncio.to_thread(threads.shutdown)
        self.engine.dispose()
