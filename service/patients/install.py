"""What patients add to the front."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from service.resources import Resources
from service.patients.service import Patients
from service.storage.transaction import Transactions


@asynccontextmanager
async def lifespan(resources: Resources) -> AsyncIterator[None]:
    resources.put(Patients, Patients(resources.get(Transactions)))
    yield
