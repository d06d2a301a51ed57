"""What modalities add to the front."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from service.medicine.modalities import api, pages
from service.medicine.modalities.service import Modalities
from service.resources import Resources
from service.storage.transaction import Transactions


def install(app: FastAPI) -> None:
    app.include_router(api.router)
    app.include_router(pages.router)


@asynccontextmanager
async def lifespan(resources: Resources) -> AsyncIterator[None]:
    resources.put(Modalities, Modalities(resources.get(Transactions)))
    yield
