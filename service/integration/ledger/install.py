"""What the ledger adds to the front: its page, and that it hears of signatures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from service.events import Listeners
from service.integration.ledger import pages
from service.integration.ledger.service import Ledger
from service.integration.ledger.signatures import signed
from service.integration.settings import GatewaySettings
from service.resources import Resources
from service.reviews.events import ReviewAdded
from service.storage.transaction import Transactions


def install(app: FastAPI) -> None:
    app.include_router(pages.router)


@asynccontextmanager
async def lifespan(resources: Resources) -> AsyncIterator[None]:
    resources.get(Listeners).within(ReviewAdded, signed)
    resources.put(Ledger, Ledger(resources.get(GatewaySettings), resources.get(Transactions)))
    yield
