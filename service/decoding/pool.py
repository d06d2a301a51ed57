"""Pool of worker processes: one is lent to a call, and does not outlive its limits.

::

    LimitError
    ├── OutOfTimeError      the call took more time of a processor than it was allowed
    ├── OverdueError        nobody waits for it any more; its worker was killed
    ├── OutOfMemoryError    it asked for more memory than it was allowed
    └── DiedError           its worker broke, or none could be had
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
import socket
import struct
import sys
from collections.abc import Callable, Collection, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final, Literal, Self, TypeVar

from service.decoding import channel
from service.decoding import worker as worker_module
from service.decoding.fork_server import MESSAGE, READY
from service.decoding.worker import Call, Outcome, named

T = TypeVar("T")
Reason = Literal["time", "deadline", "memory", "died"]

START_SECONDS: Final = 60.0
"""Longest wait for the fork server; a cold disk and busy cores need a few."""
END_SECONDS: Final = 5.0
ONE_GO: Final = 1 << 18
"""Bytes of a message that are sent, or asked for, at once; a scan's outcome has 100 000."""
ROOT: Final = Path(__file__).parents[2]
ENVIRONMENT: Final = {
    # A process with threads cannot be forked safely, and a worker is one of several.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    # What is large goes back to the system when it is freed, and counts no more.
    "MALLOC_MMAP_THRESHOLD_": str(4 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(16 << 20),
}


class LimitError(Exception):
    """A call was past a limit, or its worker broke."""

    reason: ClassVar[Reason]


class OutOfTimeError(LimitError):
    reason = "time"


class OverdueError(LimitError):
    reason = "deadline"


class OutOfMemoryError(LimitError):
    reason = "memory"


class DiedError(LimitError):
    reason = "died"


class RaisedError(Exception):
    """The function raised ``error``; until then its worker's memory had grown by ``peak`` bytes."""

    def __init__(self, error: Exception, peak: int) -> None:
        super().__init__()
        self.error = error
        self.peak = peak


class BugError(RuntimeError):
    """The function raised what it should not; the message is its type and path."""


@dataclass(frozen=True)
class Allowance:
    """What one call may take: ``seconds`` of a processor, and bytes of ``memory``."""

    seconds: float
    memory: int


@dataclass(eq=False)
class _Worker:
    process: int
    connection: socket.socket
    fresh: bool = True


@dataclass(eq=False)
class _ForkServer:
    process: asyncio.subprocess.Process
    control: socket.socket
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def ask(self, letter: bytes, number: int = 0, give: socket.socket | None = None) -> int:
        """Return the answer to a message. Raises :class:`ConnectionError` when there is none."""
        async with self.turn:
            # It must get its answer even if nobody waits any more, or the next would get it.
            return await _uninterrupted(self._ask(letter, number, give))

    async def _ask(self, letter: bytes, number: int, give: socket.socket | None) -> int:
        message = MESSAGE.pack(letter, number)
        # So little always fits.
        socket.send_fds(self.control, [message], [give.fileno()] if give else [])
        _, answer = MESSAGE.unpack(await _receive(self.control, MESSAGE.size))
        return int(answer)


class Pool:
    """``async with`` opens it, with ``spare`` workers; leaving ends every process of it.

    ``preparation`` is called in the fork server before workers are made: it loads what they need
    and returns the exceptions that functions may raise. Those and ``known`` are all that comes
    back.
    """

    def __init__(
        self,
        preparation: Callable[[], tuple[type[Exception], ...]],
        known: Collection[type],
        spare: int,
    ) -> None:
        self._preparation = preparation
        self._known = (*known, Outcome)
        self._spare = spare
        self._idle: list[_Worker] = []
        self._server: _ForkServer | None = None
        self._starting = asyncio.Lock()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closed = False

    async def __aenter__(self) -> Self:
        try:
            await self._ready()
            await self._refill()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for worker in self._idle:
            worker.connection.close()
        self._idle.clear()
        if self._server is not None:
            server, self._server = self._server, None
            await _end(server)

    @property
    def processes(self) -> list[int]:
        """The fork server's number and those of the workers that wait."""
        server = [self._server.process.pid] if self._server else []
        return server + [worker.process for worker in self._idle]

    async def run(
        self,
        function: Callable[..., T],
        *arguments: Any,
        limits: Allowance,
        within: float,
        alone: bool = False,
    ) -> T:
        """Return what ``function``, a module's own, returns in a worker ``within`` seconds.

        ``alone``: in a new worker that is used for nothing else, so that what it leaves behind goes
        with it. Raises :class:`LimitError`, :class:`RaisedError` and :class:`BugError`.
        """
        worker = await self._take(fresh=alone)
        kept = False
        try:
            sent = tuple(channel.beside(argument) for argument in arguments)
            name = named(function)
            call = Call(name, sent, limits.seconds, limits.memory)
            outcome = await self._call(worker, call, within)
            kept = outcome.kind != "memory" and not alone
        finally:
            if kept and not self._closed and len(self._idle) < self._spare:
                worker.fresh = False
                self._idle.append(worker)
            else:
                self._later(worker)
        match outcome.kind:
            case "value":
                value: T = outcome.value
                return value
            case "memory":
                raise OutOfMemoryError
            case "raised":
                raise RaisedError(outcome.value, outcome.peak)
            case _:
                raise BugError(outcome.value)

    async def _call(self, worker: _Worker, call: Call, within: float) -> Outcome:
        try:
            async with asyncio.timeout(max(within, 0)):
                await _send(worker.connection, channel.encode(call))
                answer = await _parts(worker.connection)
        except TimeoutError:
            raise OverdueError from None
        except OSError:
            raise await self._autopsy(worker) from None
        try:
            outcome = channel.decode(answer, self._known)
        except channel.ChannelError as error:
            raise BugError(str(error)) from None
        if not isinstance(outcome, Outcome):
            raise BugError("a worker sent what is no outcome")
        return outcome

    async def _autopsy(self, worker: _Worker) -> LimitError:
        """Return what a worker died of: whom the system kills, it kills for memory."""
        status = await self._kill(worker)
        match os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0:
            case worker_module.OUT_OF_TIME:
                return OutOfTimeError()
            case signal.SIGKILL:
                return OutOfMemoryError()
            case _:
                return DiedError()

    async def _take(self, *, fresh: bool) -> _Worker:
        place = next(
            (index for index, worker in enumerate(self._idle) if worker.fresh == fresh),
            None if fresh or not self._idle else 0,
        )
        return await self._make() if place is None else self._idle.pop(place)

    async def _make(self) -> _Worker:
        """Return a new worker. Raises :class:`DiedError` when none can be had."""
        for _ in range(2):
            server = await self._ready()
            ours, theirs = socket.socketpair()
            try:
                process = await server.ask(b"f", give=theirs)
            except (OSError, struct.error):
                # It died, and all workers with it; another is started once.
                ours.close()
                if self._server is server:
                    self._server = None
                    await _end(server)
                continue
            except BaseException:
                ours.close()
                raise
            finally:
                theirs.close()
            if process:
                ours.setblocking(False)
                return _Worker(process, ours)
            ours.close()
        raise DiedError

    async def _ready(self) -> _ForkServer:
        async with self._starting:
            if self._closed:
                raise DiedError
            if self._server is None:
                self._server = await _start(named(self._preparation))
            return self._server

    async def _refill(self) -> None:
        while len(self._idle) < self._spare:
            self._idle.append(await self._make())

    async def _replace(self, worker: _Worker) -> None:
        await self._kill(worker)
        # Nobody waits for this: who needs a worker and finds none tries for itself.
        with contextlib.suppress(DiedError):
            await self._refill()

    async def _kill(self, worker: _Worker) -> int:
        """End a worker and return its wait status, 0 when it is not known any more."""
        worker.connection.close()
        if not worker.process or self._server is None:
            return 0
        process, worker.process = worker.process, 0
        with contextlib.suppress(OSError, struct.error):
            return await self._server.ask(b"k", process)
        return 0

    def _later(self, worker: _Worker) -> None:
        """Have ``worker`` replaced while its caller goes on."""
        worker.connection.close()
        if self._closed:
            return
        task = asyncio.create_task(self._replace(worker))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _start(preparation: str) -> _ForkServer:
    """Return a fork server that is ready. Raises :class:`DiedError` when it does not get so far."""
    ours, theirs = socket.socketpair()
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "service.decoding", str(theirs.fileno()), preparation),
        stdin=asyncio.subprocess.DEVNULL,
        pass_fds=[theirs.fileno()],
        env={**os.environ, **ENVIRONMENT, "PYTHONPATH": path},
    )
    theirs.close()
    ours.setblocking(False)
    server = _ForkServer(process, ours)
    try:
        async with asyncio.timeout(START_SECONDS):
            if await _receive(ours, len(READY)) == READY:
                return server
    except (TimeoutError, OSError):
        pass
    except BaseException:
        await _end(server)
        raise
    await _end(server)
    raise DiedError


async def _end(server: _ForkServer) -> None:
    """End the fork server, which ends its workers and looks after them; if it does not, kill it."""
    server.control.close()
    try:
        await asyncio.wait_for(server.process.wait(), END_SECONDS)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            server.process.kill()
        await server.process.wait()


async def _send(connection: socket.socket, parts: list[channel.Part]) -> None:
    loop = asyncio.get_running_loop()
    head, *large = [channel.lengths(parts) + bytes(parts[0]), *parts[1:]]
    if sum(map(len, large)) < ONE_GO:
        # Waking the other side once is cheaper than a copy is dear.
        head, large = b"".join((head, *large)), []
    await loop.sock_sendall(connection, head)
    for part in large:
        await loop.sock_sendall(connection, part)


async def _parts(connection: socket.socket) -> list[channel.Part]:
    """Return a message's parts. Raises :class:`ConnectionError` at the end and for no message."""
    loop = asyncio.get_running_loop()
    data = bytearray()

    async def reach(length: int) -> None:
        while len(data) < length:
            more = await loop.sock_recv(connection, max(length - len(data), ONE_GO))
            if not more:
                raise ConnectionResetError
            data.extend(more)

    await reach(4)
    start = 4 + 8 * int.from_bytes(data[:4], "little")
    if not 4 < start <= 4 + 8 * channel.MOST_PARTS:
        raise ConnectionError
    await reach(start)
    sizes = struct.unpack_from(f"<{(start - 4) // 8}Q", data, 4)
    if sum(sizes) > channel.MOST:
        raise ConnectionError
    await reach(start + sum(sizes))
    view = memoryview(data)
    ends = list(itertools.accumulate(sizes, initial=start))
    return [view[begin:end] for begin, end in itertools.pairwise(ends)]


async def _receive(connection: socket.socket, count: int) -> bytearray:
    """Return the next ``count`` bytes. Raises :class:`ConnectionError` at the end."""
    loop = asyncio.get_running_loop()
    data = bytearray(count)
    view, done = memoryview(data), 0
    while done < count:
        received = await loop.sock_recv_into(connection, view[done:])
        if not received:
            raise ConnectionResetError
        done += received
    return data


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
