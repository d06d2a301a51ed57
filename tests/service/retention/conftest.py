from __future__ import annotations

import pytest

from service.audit.trail import record
from service.events import Event, Listeners
from service.storage.database import Database
from service.storage.transaction import Transactions


@pytest.fixture
def transactions(database: Database) -> Transactions:
    """Transactions on either database, with the trail listening."""
    listeners = Listeners()
    listeners.within_sync(Event, record)
    return Transactions(database, listeners)
