"""What storage adds to the front: the database, its transactions, and who listens to them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from service.events import Listeners
from service.resources import Resources
from service.storage.database import Database
from service.storage.metrics import StorageMetrics
from service.storage.settings import StorageSettings
from service.storage.transaction import Transactions


@asynccontextmanager
async def lifespan(resources: Resources) -> AsyncIterator[None]:
    database = Database(resources.get(StorageSettings), resources.get(StorageMetrics).row_unreadable)
    listeners = Listeners()
    resources.put(Database, database)
    resources.put(Listeners, listeners)
    resources.put(Transactions, Transactions(database, listeners))
    try:
        yield
    finally:
        await database.close()
