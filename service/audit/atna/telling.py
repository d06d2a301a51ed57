"""Tells collectors of the trail, link by link: each hears all of it, however long it was away."""

from __future__ import annotations

import asyncio
import logging
import socket
from contextlib import suppress
from datetime import timedelta
from typing import Final
from uuid import uuid4

import anyio.to_thread

from service.audit import repository as trail
from service.audit.atna import repository
from service.audit.atna.collector import Collector, CollectorError
from service.audit.atna.message import line
from service.audit.atna.settings import AtnaSettings
from service.audit.metrics import AuditMetrics
from service.clock import now
from service.storage.errors import StorageError
from service.storage.transaction import Transactions
from telemetry.journal import fault, log

MOST: Final = 200
"""Entries sent in one connection."""
PAUSE: Final = 2.0
LONGEST_PAUSE: Final = 60.0
LEASE: Final = timedelta(seconds=60)
"""Longer than one connection may take."""


class Telling:
    """Of one collector."""

    def __init__(
        self,
        settings: AtnaSettings,
        transactions: Transactions,
        collector: Collector,
        metrics: AuditMetrics,
    ) -> None:
        self._source = settings.atna_source
        self._transactions = transactions
        self._collector = collector
        self._metrics = metrics
        self._holder = uuid4()
        self._host = socket.gethostname()

    async def step(self) -> int:
        """Send what waits, at most :data:`MOST` entries; return how many.

        Raises :class:`~service.audit.atna.collector.CollectorError` or
        :class:`~service.storage.errors.StorageError`.
        """
        at, name = now(), self._collector.name
        async with self._transactions.read() as connection:
            begin = await trail.checkpoint(connection)
        first = 0 if begin is None else begin.number
        place = await self._transactions.write(
            lambda on: repository.lease(on.connection, name, self._holder, at, at + LEASE, first)
        )
        if place is None:
            return 0
        async with self._transactions.read() as connection:
            found = await trail.links(connection, place, MOST)
            last = await trail.last(connection)
        waits = 0 if last is None else max(last[0] - place, 0)
        self._metrics.waiting(name, waits)
        if not found:
            return 0
        lines = [line(one.entry, self._host, self._source) for one in found if one.entry]
        await anyio.to_thread.run_sync(self._collector.send, lines)
        end = found[-1].number
        await self._transactions.write(
            lambda on: repository.move(on.connection, name, self._holder, end), frees=True
        )
        self._metrics.told(name, len(lines))
        self._metrics.waiting(name, max(waits - len(found), 0))
        return len(found)

    async def telling(self, stopping: asyncio.Event) -> None:
        """Send again and again until ``stopping`` is set; wait longer while it does not answer."""
        pause, was_away = PAUSE, False
        while not stopping.is_set():
            try:
                done = await self.step()
                pause, was_away = (0.0 if done == MOST else PAUSE), False
            except CollectorError as error:
                pause = min(max(2 * pause, PAUSE), LONGEST_PAUSE)
                self._metrics.failed(self._collector.name)
                if not was_away:
                    log(logging.WARNING, "collector away", collector=self._collector.name,
                        fault=fault(error))  # fmt: skip
                was_away = True
            except StorageError:
                # The trail itself has nothing new then.
                pause = PAUSE
            except Exception as error:
                log(logging.ERROR, "bug", task="audit messages", fault=fault(error))
                pause = LONGEST_PAUSE
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), pause)
