"""What the runners' clients add to the front."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from service.flow.settings import LoadPolicy
from service.resources import Resources
from service.runners.metrics import RunnerMetrics
from service.runners.pool import Connect, RunnerPool
from service.runners.settings import RunnerPolicy
from service.runners.states import RunnerStates


@asynccontextmanager
async def lifespan(resources: Resources, connect: Connect | None = None) -> AsyncIterator[None]:
    """``connect`` makes the runners' clients; without it they speak HTTP."""
    resources.put(RunnerStates, RunnerStates())
    pool = RunnerPool(
        resources.get(RunnerPolicy),
        resources.get(RunnerMetrics),
        max_deferral=resources.get(LoadPolicy).bulk_patience_seconds,
        connect=connect,
    )
    async with pool.open() as runners:
        resources.put(RunnerPool, runners)
        yield
