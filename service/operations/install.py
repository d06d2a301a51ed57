"""What operations add to the front: the schema brought to head, probes, health and metrics."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from service.opened import Opened
from service.operations import api
from service.operations.health import Health
from service.operations.settings import ProcessSettings
from service.runners.metrics import RunnerMetrics
from service.runners.pool import RunnerPool
from service.runners.states import RunnerStates
from service.storage.database import Database
from service.storage.metrics import StorageMetrics


def install(app: FastAPI) -> None:
    app.include_router(api.health)
    app.include_router(api.metrics)


@asynccontextmanager
async def opening(opened: Opened) -> AsyncIterator[None]:
    health = Health(
        opened.get(ProcessSettings),
        opened.get(RunnerPool),
        opened.get(Database),
        opened.get(RunnerMetrics),
        opened.get(StorageMetrics),
        opened.get(RunnerStates),
    )
    opened.put(Health, health)
    await health.migrate()
    async with health.monitoring():
        yield
