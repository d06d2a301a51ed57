"""What work items add to the front."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from service.identity.reading import Reading
from service.integration.web.metrics import DicomWebMetrics
from service.integration.workitems import api
from service.integration.workitems.service import Workitems
from service.resources import Resources
from service.storage.transaction import Transactions


def install(app: FastAPI) -> None:
    app.include_router(api.router)


@asynccontextmanager
async def lifespan(resources: Resources) -> AsyncIterator[None]:
    transactions, reading = resources.get(Transactions), resources.get(Reading)
    resources.put(Workitems, Workitems(transactions, reading, resources.get(DicomWebMetrics)))
    yield
