"""What the trail adds to the front: it listens to every event, and is sealed all the while."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio.to_thread
from fastapi import FastAPI

from service.audit import pages
from service.audit.atna.collector import Collector
from service.audit.atna.settings import AtnaSettings
from service.audit.atna.telling import Telling
from service.audit.metrics import AuditMetrics
from service.audit.settings import AuditSettings
from service.audit.trail import ANCHOR, Trail, record
from service.events import Event, Listeners
from service.resources import Resources
from service.storage.database import Database
from service.storage.settings import StorageSettings
from service.storage.transaction import Transactions


def install(app: FastAPI) -> None:
    app.include_router(pages.router)


def anchor(database: Database) -> Path | None:
    """Return the file that remembers where the chain ends; None: the database is elsewhere."""
    return None if database.folder is None else database.folder / ANCHOR


@asynccontextmanager
async def lifespan(resources: Resources) -> AsyncIterator[None]:
    resources.get(Listeners).within_sync(Event, record)
    settings, folder = resources.get(AuditSettings), resources.get(StorageSettings).var

    def read() -> bytes | None:
        return settings.key(folder, make=True)

    key = await anyio.to_thread.run_sync(read)
    if key is None:
        raise RuntimeError("the key of the trail was removed while it was read")
    trail = Trail(resources.get(Transactions), key, anchor(resources.get(Database)))
    resources.put(Trail, trail)
    stopping = asyncio.Event()
    sealing = asyncio.create_task(trail.sealing(stopping), name="seal the trail")
    telling = [
        asyncio.create_task(one.telling(stopping), name="tell a collector")
        for one in _collectors(resources)
    ]
    try:
        yield
    finally:
        # Not cancelled: a transaction that is broken off holds others up.
        stopping.set()
        await sealing
        await asyncio.gather(*telling)


def _collectors(resources: Resources) -> list[Telling]:
    settings, transactions = resources.get(AtnaSettings), resources.get(Transactions)
    metrics = resources.get(AuditMetrics)
    return [
        Telling(settings, transactions, Collector(settings, host, port), metrics)
        for host, port in settings.collectors
    ]
