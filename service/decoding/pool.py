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
import os
import signal
import socket
import struct
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self, TypeVar

from service.decoding import channel, messages
from service.decoding import worker as worker_module
from service.decoding.fork_server_process import ForkServerProcess
from service.decoding.worker import Call, Outcome, named

T = TypeVar("T")
Reason = Literal["time", "deadline", "memory", "died"]


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
        self._server: ForkServerProcess | None = None
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
            await server.end()

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
                await messages.send(worker.connection, channel.encode(call))
                answer = await messages.receive(worker.connection)
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
                    await server.end()
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

    async def _ready(self) -> ForkServerProcess:
        async with self._starting:
            if self._closed:
                raise DiedError
            if self._server is None:
                self._server = await ForkServerProcess.start(named(self._preparation))
            if self._server is None:
                raise DiedError
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
