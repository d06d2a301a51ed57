"""Works on batches in the background, a bounded number of images at a time.

A batch belongs to nobody's connection: it goes on when the client that sent it goes away, and what
it found is read again by its id, from any front. What it waits in belongs to this process: when
that ends, the batch is *interrupted*, says which images remain, and those are sent again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Final, Protocol
from uuid import UUID

import anyio.to_thread

from models.image.errors import ScanError
from service.batches.schemas import Batch, Line, Outcome
from service.batches.service import Batches
from service.batches.settings import BatchLimits
from service.batches.spool import Items
from service.errors import ServiceError, service_error
from service.flow.priority import Priority
from service.identity.actor import Actor
from service.predictions.schemas import Prediction
from service.storage.errors import StorageError
from telemetry.journal import fault, log

ATTEMPTS: Final = 3
"""Times that one image is tried before its failure, which is not its own, is written down."""

_PULSE_SECONDS: Final = 5.0
_LINES: Final = 100

_TOGETHER: Final = 32
"""Lines that wait while others are written, before their lanes wait as well."""

_FRESH_SECONDS: Final = 0.25
"""So long it is known whether a batch goes on, before the database is asked again."""


class Predict(Protocol):
    """Judges one image, and keeps what its sender calls it."""

    def __call__(
        self, actor: Actor, data: bytes, priority: Priority, /, *, name: str | None
    ) -> Awaitable[Prediction]: ...


class BatchWorker:
    """``async with`` opens it; leaving interrupts what is not finished."""

    def __init__(
        self, limits: BatchLimits, batches: Batches, predict: Predict, pause: float
    ) -> None:
        """``pause``: most seconds between two tries of an image."""
        self._pause = pause
        self._limits = limits
        self._batches = batches
        self._predict = predict
        self._slots = asyncio.Semaphore(limits.bulk_concurrency)
        self._starting = 0
        self._tasks: dict[UUID, asyncio.Task[None]] = {}
        self._news: dict[UUID, asyncio.Event] = {}

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        try:
            yield
        finally:
            tasks = list(self._tasks.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def has_place(self) -> None:
        """Raise :class:`~service.errors.ServiceError` unless one more batch could be worked on now.

        Asked before a batch is received, so that nobody sends in vain; the place itself is taken by
        :meth:`start`. One that is held while somebody sends is held by whoever sends slowly.
        """
        if self._starting + len(self._tasks) >= self._limits.bulk_batches:
            raise ServiceError(
                "bulk_busy",
                f"This front has {self._limits.bulk_batches} batches in hand, its limit.",
                retry_after=30,
            )

    async def start(self, actor: Actor, items: Items) -> Batch:
        """Take ``items`` over and return the batch as it begins.

        Raises :class:`~service.errors.ServiceError` where there is no place for it.
        """
        try:
            self.has_place()
            self._starting += 1
            try:
                batch = await self._batches.start(actor, len(items))
            finally:
                self._starting -= 1
        except BaseException:
            items.close()
            raise
        self._news[batch.id] = asyncio.Event()
        self._tasks[batch.id] = asyncio.create_task(self._work(actor, batch.id, items))
        return batch

    async def lines(
        self, actor: Actor, batch_id: UUID, after: int = 0, *, follow: bool = False
    ) -> AsyncIterator[Line]:
        """Yield the lines after number ``after``.

        To ``follow`` is to wait for more, as long as this front works on the batch.
        """
        while True:
            # Asked for before the lines are read, so that none is missed in between.
            news = self._news.get(batch_id) if follow else None
            lines = await self._batches.lines(actor, batch_id, after, _LINES)
            for line in lines:
                yield line
                after = line.line
            if news is None and len(lines) < _LINES:
                return
            if news is not None and not lines:
                await news.wait()

    async def _work(self, actor: Actor, batch_id: UUID, items: Items) -> None:
        todo = iter(range(len(items)))
        record = _Record(self._batches, actor, batch_id, partial(self._tell, batch_id))
        lanes = [
            asyncio.create_task(self._lane(actor, items, todo, record))
            for _ in range(min(self._limits.bulk_concurrency, len(items)))
        ]
        pulse = asyncio.create_task(self._pulse(batch_id))
        try:
            await asyncio.gather(*lanes)
            await self._batches.end(actor, batch_id, "finished")
        except BaseException as error:
            if not isinstance(error, asyncio.CancelledError):
                log(logging.ERROR, "batch broke off", fault=fault(error))
            # Without a database nobody can be told now; its silence will tell.
            with suppress(StorageError):
                await record.write()
                await self._batches.end(actor, batch_id, "interrupted")
            if isinstance(error, asyncio.CancelledError):
                raise
        finally:
            for task in (pulse, *lanes):
                task.cancel()
            await asyncio.gather(pulse, *lanes, return_exceptions=True)
            items.close()
            del self._tasks[batch_id]
            self._news.pop(batch_id).set()

    async def _lane(self, actor: Actor, items: Items, todo: Iterator[int], record: _Record) -> None:
        for index in todo:
            if not await self._item(actor, items, index, record):
                return

    async def _item(self, actor: Actor, items: Items, index: int, record: _Record) -> bool:
        """Judge one image and write its line; False when the batch is not to go on."""
        async with self._slots:
            if not await record.goes_on():
                return False
            prediction, error = await self._answer(actor, items, index)
            return await record.add(
                Outcome(
                    index,
                    prediction.id if prediction else None,
                    {"code": error.code, "detail": error.detail} if error else None,
                )
            )

    def _tell(self, batch_id: UUID) -> None:
        """Wake whoever follows the batch: there are further lines."""
        news = self._news[batch_id]
        self._news[batch_id] = asyncio.Event()
        news.set()

    async def _answer(
        self, actor: Actor, items: Items, index: int
    ) -> tuple[Prediction | None, ServiceError | None]:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                data = await anyio.to_thread.run_sync(items.read, index)
                name = items.name(index)
                return await self._predict(actor, data, Priority.BULK, name=name), None
            except Exception as error:
                if not isinstance(error, (ServiceError, ScanError)):
                    log(logging.ERROR, "bug", route="batch", fault=fault(error))
                said = service_error(error)
                if attempt == ATTEMPTS or said.retry_after is None:
                    return None, said
                # Not the image's fault: the same again, a little later, may well be answered.
                await asyncio.sleep(min(said.retry_after, self._pause))
        raise AssertionError("unreachable")

    async def _pulse(self, batch_id: UUID) -> None:
        """Say now and then that somebody works on it, also while one image takes long."""
        while True:
            await asyncio.sleep(_PULSE_SECONDS)
            with suppress(StorageError):
                await self._batches.touch(batch_id)


class _Record:
    """Writes the lines of one batch: those that come while others are written go together.

    Images that are refused at a glance would otherwise cost a transaction each, and more of a
    processor than all else that is done with them.
    """

    def __init__(
        self, batches: Batches, actor: Actor, batch_id: UUID, tell: Callable[[], None]
    ) -> None:
        """``tell`` is called whenever lines have been written."""
        self._batches = batches
        self._actor = actor
        self._batch_id = batch_id
        self._tell = tell
        self._waiting: list[Outcome] = []
        self._lock = asyncio.Lock()
        self._goes_on = True
        self._known_until = 0.0

    async def goes_on(self) -> bool:
        """Return whether a further image is to be begun."""
        if time.monotonic() > self._known_until and not self._lock.locked():
            async with self._lock:
                self._know(await self._batches.touch(self._batch_id))
        return self._goes_on

    async def add(self, outcome: Outcome) -> bool:
        """Have a line written; return whether a further image is to be begun.

        Whoever finds nobody writing writes for all. The others go on with their next image, unless
        many lines wait already.
        """
        self._waiting.append(outcome)
        if not self._lock.locked() or len(self._waiting) >= _TOGETHER:
            await self.write()
        return self._goes_on

    async def write(self) -> None:
        """Write what waits, and what comes meanwhile."""
        async with self._lock:
            while self._waiting:
                together, self._waiting = self._waiting, []
                self._know(await self._batches.record_all(self._actor, self._batch_id, together))
                self._tell()

    def _know(self, goes_on: bool) -> None:
        self._goes_on = goes_on
        self._known_until = time.monotonic() + _FRESH_SECONDS
