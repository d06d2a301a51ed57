"""What the worklist adds to the front."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from service.resources import Resources
from service.storage.transaction import Transactions
from service.worklist import api, pages
from service.worklist.service import Worklist


def install(app: FastAPI) -> None:
    app.include_router(api.router)
    app.include_router(pages.router)


@asynccontextmanager
async def lifespan(resources: Resources) -> AsyncIterator[None]:
    resources.put(Worklist, Worklist(resources.get(Transactions)))
    yield
