"""What the ledger adds to the front: it hears of signatures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from service.events import Listeners
from service.integration.ledger.signatures import signed
from service.resources import Resources
from service.reviews.events import ReviewAdded


@asynccontextmanager
async def lifespan(resources: Resources) -> AsyncIterator[None]:
    resources.get(Listeners).within(ReviewAdded, signed)
    yield
