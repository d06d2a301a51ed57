"""What patients add to the front."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from service.opened import Opened
from service.patients.service import Patients
from service.storage.transaction import Transactions


@asynccontextmanager
async def opening(opened: Opened) -> AsyncIterator[None]:
    opened.put(Patients, Patients(opened.get(Transactions)))
    yield
