"""What reviews add to the front."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from fastapi import FastAPI

from service.identity.settings import IdentitySettings
from service.resources import Resources
from service.reviews import api
from service.reviews.service import Reviews
from service.storage.transaction import Transactions


def install(app: FastAPI) -> None:
    app.include_router(api.router)


@asynccontextmanager
async def lifespan(resources: Resources) -> AsyncIterator[None]:
    minutes = resources.get(IdentitySettings).signature_minutes
    resources.put(Reviews, Reviews(resources.get(Transactions), timedelta(minutes=minutes)))
    yield
