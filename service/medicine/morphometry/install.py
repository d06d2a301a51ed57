"""What morphometry adds to the front."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from service.medicine.morphometry import api, pages
from service.medicine.morphometry.service import Morphometry
from service.resources import Resources
from service.storage.transaction import Transactions


def install(app: FastAPI) -> None:
    app.include_router(api.router)
    app.include_router(api.kept)
    app.include_router(pages.router)


@asynccontextmanager
async def lifespan(resources: Resources) -> AsyncIterator[None]:
    resources.put(Morphometry, Morphometry(resources.get(Transactions)))
    yield
