"""What reviews add to the front."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from fastapi import FastAPI

from service.identity.settings import IdentitySettings
from service.opened import Opened
from service.reviews import api
from service.reviews.service import Reviews
from service.storage.transaction import Transactions


def install(app: FastAPI) -> None:
    app.include_router(api.router)


@asynccontextmanager
async def opening(opened: Opened) -> AsyncIterator[None]:
    minutes = opened.get(IdentitySettings).signature_minutes
    opened.put(Reviews, Reviews(opened.get(Transactions), timedelta(minutes=minutes)))
    yield
