"""What the models' cards and figures add to the front."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import anyio.to_thread
from fastapi import FastAPI

from models.artifact import ArtifactError
from service.resources import Resources
from service.served_models import api
from service.served_models.schemas import lineup


def install(app: FastAPI) -> None:
    app.include_router(api.api)
    app.include_router(api.pages)


@asynccontextmanager
async def lifespan(_resources: Resources) -> AsyncIterator[None]:
    # Reading whole artefacts is not for the first who asks.
    with suppress(ArtifactError):
        await anyio.to_thread.run_sync(lineup)
    yield
