"""What exams add to the front."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from service.exams import api
from service.exams.service import Exams
from service.resources import Resources
from service.storage.transaction import Transactions


def install(app: FastAPI) -> None:
    app.include_router(api.router)
    app.include_router(api.pages)


@asynccontextmanager
async def lifespan(resources: Resources) -> AsyncIterator[None]:
    resources.put(Exams, Exams(resources.get(Transactions)))
    yield
