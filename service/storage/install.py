"""What storage adds to the front: the database, its transactions, and who listens to them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from service.events import Listeners
from service.opened import Opened
from service.storage.database import Database
from service.storage.metrics import StorageMetrics
from service.storage.settings import StorageSettings
from service.storage.transaction import Transactions


@asynccontextmanager
async def opening(opened: Opened) -> AsyncIterator[None]:
    database = Database(opened.get(StorageSettings), opened.get(StorageMetrics).row_unreadable)
    listeners = Listeners()
    opened.put(Database, database)
    opened.put(Listeners, listeners)
    opened.put(Transactions, Transactions(database, listeners))
    try:
        yield
    finally:
        await database.close()
