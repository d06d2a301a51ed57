"""What batches add to the front."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncConnection

from service.batches import api, pages, repository
from service.batches.service import Batches
from service.batches.settings import BatchLimits
from service.batches.worker import Bulk
from service.events import Listeners
from service.identity.events import AccountEnded
from service.opened import Opened
from service.predictions.service import Predictions
from service.runners.settings import RunnerPolicy
from service.storage.transaction import Transactions


def install(app: FastAPI) -> None:
    app.include_router(api.router)
    app.include_router(pages.pages)


@asynccontextmanager
async def opening(opened: Opened) -> AsyncIterator[None]:
    batches = Batches(opened.get(Transactions))
    bulk = Bulk(
        opened.get(BatchLimits),
        batches,
        opened.get(Predictions).predict,
        pause=opened.get(RunnerPolicy).probe_seconds,
    )
    opened.put(Batches, batches)

    async def ended(connection: AsyncConnection, event: AccountEnded) -> None:
        await repository.cancel_of(connection, event.account_id)

    opened.get(Listeners).within(AccountEnded, ended)
    opened.put(Bulk, bulk)
    async with bulk.working():
        yield
