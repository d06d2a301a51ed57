"""What retention adds to the front: its page, and where the database is a file, a run each day.

Elsewhere a CronJob runs ``python -m service retention apply``: several fronts need not each do so.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from fastapi import FastAPI

from service.holds.service import Holds
from service.identity.actor import Actor
from service.resources import Resources
from service.retention import pages
from service.retention.service import Retention
from service.retention.settings import RetentionSettings
from service.storage.database import Database
from service.storage.errors import StorageError
from service.storage.transaction import Transactions
from telemetry.journal import fault, log

FIRST_SECONDS: Final = 60.0
"""After the start, which is when people come back."""
DAY_SECONDS: Final = 24 * 3600.0


def install(app: FastAPI) -> None:
    app.include_router(pages.router)


@asynccontextmanager
async def lifespan(resources: Resources) -> AsyncIterator[None]:
    settings = resources.get(RetentionSettings)
    retention = Retention(settings, resources.get(Transactions))
    resources.put(Retention, retention)
    resources.put(Holds, Holds(resources.get(Transactions)))
    if resources.get(Database).file is None or not settings.is_set:
        yield
        return
    stopping = asyncio.Event()
    daily = asyncio.create_task(applying(retention, stopping), name="retention")
    try:
        yield
    finally:
        # Not cancelled: a transaction that is broken off holds others up.
        stopping.set()
        await daily


async def applying(
    retention: Retention, stopping: asyncio.Event, first: float = FIRST_SECONDS
) -> None:
    """Apply ``retention`` each day until ``stopping`` is set; what fails is tried again then."""
    pause = first
    while True:
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), pause)
        if stopping.is_set():
            return
        pause = DAY_SECONDS
        try:
            removed = await retention.apply(
                Actor.anonymous(), goes_on=lambda: not stopping.is_set()
            )
            for site, counts in removed.items():
                log(logging.INFO, "retention applied", site=site, **counts)
        except StorageError as error:
            log(logging.WARNING, "retention waits", fault=fault(error))
        except Exception as error:
            log(logging.ERROR, "bug", task="retention", fault=fault(error))
