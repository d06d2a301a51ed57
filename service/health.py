"""Three questions about this process, and what a watcher may do with each answer.

================  ================================================  ==========================
``live``          does the event loop turn?                         no: restart the process
``ready``         can this front answer now? storage answers, its   no: send requests elsewhere
                  schema is not behind, no shutdown has begun
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
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, Literal

from service.journal import fault, log
from service.metrics import Metrics
from service.runners import Runners
from service.settings import Settings
from service.storage import Database, StorageUnavailableError
from service.types import RUNNERS, RunnerName

RunnerState = Literal["unknown", "ready", "down"]


MISSES: Final = 2
"""Looks in a row that find a runner not ready before it is not called any more: one look may meet
a machine that is very busy."""


@dataclass
class Readiness:
    storage: bool
    schema: str
    draining: bool

    @property
    def ok(self) -> bool:
        return self.storage and self.schema in ("current", "ahead") and not self.draining


@dataclass
class Health:
    """What is known of this process and its neighbours; ``watching`` keeps it up to date."""

    settings: Settings
    runners: Runners
    database: Database
    metrics: Metrics
    draining: bool = False
    started: float = field(default_factory=time.monotonic)
    states: dict[RunnerName, RunnerState] = field(
        default_factory=lambda: dict.fromkeys(RUNNERS, "unknown")
    )
    misses: dict[RunnerName, int] = field(default_factory=dict)
    ever_ready: set[RunnerName] = field(default_factory=set)

    async def readiness(self) -> Readiness:
        try:
            schema: str = await self.database.schema_state()
        except StorageUnavailableError:
            return Readiness(storage=False, schema="unknown", draining=self.draining)
        return Readiness(storage=True, schema=schema, draining=self.draining)

    @property
    def waited_for(self) -> list[str]:
        """What startup still waits for; empty: it is done."""
        waited = [] if self.database.migrated else ["migrations"]
        if time.monotonic() - self.started < self.settings.startup_grace_seconds:
            waited += [name for name in RUNNERS if name not in self.ever_ready]
        return waited

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Look at the runners, and migrate if that could not be done at once, until the end."""
        task = asyncio.create_task(self._watch(), name="watch runners")
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def migrate(self) -> None:
        """Bring the schema to head, or leave it to the next look."""
        try:
            await self.database.migrate()
        except StorageUnavailableError as error:
            log(logging.ERROR, "storage unavailable", fault=fault(error.__cause__ or error))

    async def look(self) -> None:
        """Ask every runner once whether it is ready."""
        limit = max(self.settings.probe_seconds, 1.0)
        answers = await asyncio.gather(*(self.runners.ready(name, limit) for name in RUNNERS))
        for name, ready in zip(RUNNERS, answers, strict=True):
            state: RunnerState = "ready" if ready else "down"
            if self.states[name] != state:
                log(logging.INFO if ready else logging.WARNING, "runner", runner=name, state=state)
            self.states[name] = state
            self.metrics.runner_ready(name, ready)
            misses = self.misses[name] = 0 if ready else self.misses.get(name, 0) + 1
            if ready or misses >= MISSES:
                self.runners.seen(name, ready=ready)
            if ready:
                self.ever_ready.add(name)

    async def _watch(self) -> None:
        while True:
            try:
                if not self.database.migrated:
                    await self.migrate()
                await self.look()
            except Exception as error:
                # A watch that ended unseen would leave the last states standing for ever.
                log(logging.ERROR, "bug", task="watch runners", fault=fault(error))
            await asyncio.sleep(self.settings.probe_seconds)
