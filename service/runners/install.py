"""What the runners' clients add to the front."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from service.flow.settings import LoadPolicy
from service.opened import Opened
from service.runners.metrics import RunnerMetrics
from service.runners.pool import RunnerPool
from service.runners.settings import RunnerPolicy
from service.runners.states import RunnerStates


@asynccontextmanager
async def opening(opened: Opened) -> AsyncIterator[None]:
    opened.put(RunnerStates, RunnerStates())
    pool = RunnerPool(
        opened.get(RunnerPolicy),
        opened.get(RunnerMetrics),
        max_deferral=opened.get(LoadPolicy).bulk_patience_seconds,
    )
    async with pool.open() as runners:
        opened.put(RunnerPool, runners)
        yield
