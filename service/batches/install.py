"""What batches add to the front."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from service.batches import api, pages
from service.batches.service import Batches
from service.batches.settings import BatchLimits
from service.batches.worker import BatchWorker
from service.predictions.service import Predictions
from service.resources import Resources
from service.runners.settings import RunnerPolicy
from service.storage.transaction import Transactions


def install(app: FastAPI) -> None:
    app.include_router(api.router)
    app.include_router(pages.pages)


@asynccontextmanager
async def lifespan(resources: Resources) -> AsyncIterator[None]:
    batches = Batches(resources.get(Transactions))
    worker = BatchWorker(
        resources.get(BatchLimits),
        batches,
        resources.get(Predictions).predict,
        pause=resources.get(RunnerPolicy).probe_seconds,
    )
    resources.put(Batches, batches)
    resources.put(BatchWorker, worker)
    async with worker.working():
        yield
