"""What operations add to the front: the schema brought to head, probes, health and metrics."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from service.resources import Resources
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
async def lifespan(resources: Resources) -> AsyncIterator[None]:
    health = Health(
        resources.get(ProcessSettings),
        resources.get(RunnerPool),
        resources.get(Database),
        resources.get(RunnerMetrics),
        resources.get(StorageMetrics),
        resources.get(RunnerStates),
    )
    resources.put(Health, health)
    await health.migrate()
    async with health.monitoring():
        yield
