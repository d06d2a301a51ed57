"""What batches add to the front."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncConnection

from service.batches import api, pages, repository
from service.batches.service import Batches
from service.batches.settings import BatchLimits
from service.batches.worker import BatchWorker
from service.events import Listeners
from service.identity.events import AccountEnded
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

    async def ended(connection: AsyncConnection, event: AccountEnded) -> None:
        await repository.cancel_of(connection, event.account_id)

    resources.get(Listeners).within(AccountEnded, ended)
    resources.put(BatchWorker, worker)
    async with worker.working():
        yield
