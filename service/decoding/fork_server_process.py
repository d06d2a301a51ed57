"""The fork server from the front's side: a process that is started, asked and ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from service.decoding import messages
from service.decoding.fork_server import MESSAGE, READY

T = TypeVar("T")

START_SECONDS: Final = 60.0
"""Longest wait for the fork server; a cold disk and busy cores need a few."""
END_SECONDS: Final = 5.0
ROOT: Final = Path(__file__).parents[2]
ENVIRONMENT: Final = {
    # A process with threads cannot be forked safely, and a worker is one of several.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    # What is large goes back to the system when it is freed, and counts no more.
    "MALLOC_MMAP_THRESHOLD_": str(4 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(16 << 20),
}


@dataclass(eq=False)
class ForkServerProcess:
    """Of workers: it forks and ends them, and they end with it."""

    process: asyncio.subprocess.Process
    control: socket.socket
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @classmethod
    async def start(cls, preparation: str) -> Self | None:
        """Return one that is ready, or None when it does not get so far."""
        ours, theirs = socket.socketpair()
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        # -P: else the folder that the front was started in would come before all others.
        command = (sys.executable, "-P", "-m", "service.decoding")
        process = await asyncio.create_subprocess_exec(
            *(*command, str(theirs.fileno()), preparation),
            stdin=asyncio.subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            env={**os.environ, **ENVIRONMENT, "PYTHONPATH": path},
        )
        theirs.close()
        ours.setblocking(False)
        started = cls(process, ours)
        try:
            async with asyncio.timeout(START_SECONDS):
                if await messages.exactly(ours, len(READY)) == READY:
                    return started
        except (TimeoutError, OSError):
            pass
        except BaseException:
            await started.end()
            raise
        await started.end()
        return None

    async def ask(self, letter: bytes, number: int = 0, give: socket.socket | None = None) -> int:
        """Return the answer to a message. Raises :class:`ConnectionError` when there is none."""
        async with self.turn:
            # It must get its answer even if nobody waits any more, or the next would get it.
            return await _uninterrupted(self._ask(letter, number, give))

    async def end(self) -> None:
        """End it, which ends its workers and looks after them; if it does not, kill it."""
        self.control.close()
        try:
            await asyncio.wait_for(self.process.wait(), END_SECONDS)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()

    async def _ask(self, letter: bytes, number: int, give: socket.socket | None) -> int:
        message = MESSAGE.pack(letter, number)
        # So little always fits.
        socket.send_fds(self.control, [message], [give.fileno()] if give else [])
        _, answer = MESSAGE.unpack(await messages.exactly(self.control, MESSAGE.size))
        return int(answer)


async def _uninterrupted(work: Coroutine[Any, Any, T]) -> T:
    """Return what ``work`` returns; when cancelled, once it is done."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        if not task.cancelled():
            task.exception()
        raise
