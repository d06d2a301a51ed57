"""What the page of a site's use adds to the front."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from service.resources import Resources
from service.storage.transaction import Transactions
from service.usage import pages
from service.usage.service import Usage


def install(app: FastAPI) -> None:
    app.include_router(pages.router)


@asynccontextmanager
async def lifespan(resources: Resources) -> AsyncIterator[None]:
    resources.put(Usage, Usage(resources.get(Transactions)))
    yield
