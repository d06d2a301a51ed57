"""Routes of health (what each answer means: service/operations/health.py) and metrics."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from service.http.problems import Problem, problems
from service.state import Opened

health = APIRouter(prefix="/health", tags=["health"])
metrics = APIRouter(include_in_schema=False)


@health.get("/live", summary="Does the process turn?")
async def live() -> dict[str, str]:
    """Touches nothing but the event loop. If this does not answer, restart the process."""
    return {"status": "live"}


@health.get("/ready", summary="Can it answer now?", responses=problems(503))
async def ready(state: Opened) -> dict[str, Any]:
    """Storage answers and has room, its schema is not behind, no shutdown has begun.

    `runners` is information: a dead one makes answers degraded, not the front unready.
    """
    found = await state.health.readiness()
    checks = {
        "storage": found.storage,
        "schema": found.schema,
        "draining": found.draining,
    }
    if not found.ok:
        raise Problem(
            "not_ready",
            "This front cannot answer now.",
            {"Retry-After": "2"},
            {"checks": checks, "runners": state.health.states},
        )
    return {"status": "ready", "checks": checks, "runners": state.health.states}


@health.get("/startup", summary="Has it got going?", responses=problems(503))
async def startup(state: Opened) -> dict[str, Any]:
    """Migrations are done, and every runner was ready once or the grace is over."""
    waited_for = state.health.waited_for
    if waited_for:
        raise Problem(
            "not_ready",
            "Still starting.",
            {"Retry-After": "2"},
            {"waiting_for": waited_for, "runners": state.health.states},
        )
    return {"status": "started", "runners": state.health.states}


@metrics.get("/metrics")
async def exposition(state: Opened) -> Response:
    return Response(state.metrics.exposition(), media_type=CONTENT_TYPE_LATEST)
