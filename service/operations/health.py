"""Liveness, readiness and startup of this process, and probes of what it depends on.

================  ================================================  ==========================
``live``          does the event loop turn?                         no: restart the process
``ready``         can this front answer now? storage answers and    no: send requests elsewhere
                  has room, its schema is not behind, no shutdown
                  has begun
``startup``       has it ever got going? migrations are done, and   no: wait; live and ready
                  every runner was ready once or the grace is over  do not count yet
================  ================================================  ==========================

Runners are told of in ``ready`` but never decide it: a dead one makes answers degraded, and taking
the front away as well would help nobody. After the grace, startup is done even when no runner has
ever been ready: restarting the front does not start a runner, and stored results can be read.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, Literal

import anyio.to_thread

from service.operations.settings import ProcessSettings
from service.runners.metrics import RunnerMetrics
from service.runners.pool import RunnerPool
from service.runners.states import RunnerState, RunnerStates
from service.storage.database import Database
from service.storage.errors import KeysError, StorageError, StorageFullError
from service.storage.metrics import StorageMetrics
from service.types import RUNNERS, RunnerName
from telemetry.journal import fault, log

StorageState = Literal["ok", "full", "unavailable"]


ROOM_SECONDS: Final = 15.0
"""Between two small writes that find out whether there is room; at every probe while there is none.
"""

FAILURES: Final = 2
"""Probes in a row that find a runner not ready before it is not called any more: one may meet a
machine that is very busy."""


@dataclass
class Readiness:
    storage: StorageState
    schema: str
    draining: bool

    @property
    def ok(self) -> bool:
        return self.storage == "ok" and self.schema in ("current", "ahead") and not self.draining


@dataclass
class Health:
    """What is known of this process and its neighbours; ``monitoring`` keeps it up to date."""

    settings: ProcessSettings
    runners: RunnerPool
    database: Database
    runner_metrics: RunnerMetrics
    storage_metrics: StorageMetrics
    states: RunnerStates
    draining: bool = False
    started: float = field(default_factory=time.monotonic)
    failures: dict[RunnerName, int] = field(default_factory=dict)
    ever_ready: set[RunnerName] = field(default_factory=set)
    room_at: float = 0.0
    """When to look for room again, by the monotonic clock."""

    async def readiness(self) -> Readiness:
        try:
            schema: str = await self.database.schema_state()
        except StorageError as error:
            full = isinstance(error, StorageFullError)
            state: StorageState = "full" if full else "unavailable"
            return Readiness(storage=state, schema="unknown", draining=self.draining)
        state = "full" if self.database.full else "ok"
        return Readiness(storage=state, schema=schema, draining=self.draining)

    @property
    def waited_for(self) -> list[str]:
        """What startup still waits for; empty: it is done."""
        waited = [] if self.database.migrated else ["migrations"]
        if time.monotonic() - self.started < self.settings.startup_grace_seconds:
            waited += [name for name in RUNNERS if name not in self.ever_ready]
        return waited

    @asynccontextmanager
    async def monitoring(self) -> AsyncIterator[None]:
        """Probe the runners, and migrate if that could not be done at once, until the end."""
        task = asyncio.create_task(self._monitor(), name="watch runners")
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def migrate(self) -> None:
        """Bring the schema to head, or leave it to the next probe.

        Raises :class:`~service.storage.errors.KeysError` where a key of encrypted columns is
        missing.
        """
        try:
            await self.database.migrate()
        except KeysError as error:
            log(logging.ERROR, "key missing", about=str(error))
            raise
        except StorageError as error:
            log(logging.ERROR, "storage unavailable", fault=fault(error.__cause__ or error))

    async def probe(self) -> None:
        """Ask every runner once whether it is ready."""
        limit = max(self.runners.retry_after, 1.0)
        answers = await asyncio.gather(*(self.runners.ready(name, limit) for name in RUNNERS))
        for name, ready in zip(RUNNERS, answers, strict=True):
            state: RunnerState = "ready" if ready else "down"
            if self.states[name] != state:
                log(logging.INFO if ready else logging.WARNING, "runner", runner=name, state=state)
            self.states[name] = state
            self.runner_metrics.ready(name, ready)
            failures = self.failures[name] = 0 if ready else self.failures.get(name, 0) + 1
            if ready or failures >= FAILURES:
                self.runners.record_probe(name, ready=ready)
            if ready:
                self.ever_ready.add(name)

    async def probe_storage(self) -> None:
        """Ask the database whether it answers, and how much room is left where it lies."""
        if self.database.migrated and (self.database.full or time.monotonic() >= self.room_at):
            self.room_at = time.monotonic() + ROOM_SECONDS
            with contextlib.suppress(StorageError):
                await self.database.look_for_room()
        found = (await self.readiness()).storage
        self.storage_metrics.state(found != "unavailable", found == "full")
        folder = self.database.folder
        if folder is not None:
            with contextlib.suppress(OSError):
                usage = await anyio.to_thread.run_sync(shutil.disk_usage, folder)
                self.storage_metrics.disk(usage.free, usage.total)

    async def _monitor(self) -> None:
        # Apart, since a database that hangs must not keep anybody from seeing a runner return.
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._repeat("watch runners", self.probe))
            tasks.create_task(self._repeat("watch storage", self._storage))

    async def _storage(self) -> None:
        if not self.database.migrated:
            with contextlib.suppress(KeysError):
                await self.migrate()
        await self.probe_storage()

    async def _repeat(self, task: str, probe: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await probe()
            except Exception as error:
                # A watch that ended unseen would leave the last states standing for ever.
                log(logging.ERROR, "bug", task=task, fault=fault(error))
            await asyncio.sleep(self.runners.retry_after)
