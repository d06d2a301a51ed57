"""Routes of health (what each answer means: service/operations/health.py) and metrics."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from service.http.problems import Problem, problems
from service.operations.dependencies import HealthDep, RegistryDep

health = APIRouter(prefix="/health", tags=["health"])
metrics = APIRouter(include_in_schema=False)


@health.get("/live", summary="Does the process turn?")
async def live() -> dict[str, str]:
    """Touches nothing but the event loop. If this does not answer, restart the process."""
    return {"status": "live"}


@health.get("/ready", summary="Can it answer now?", responses=problems(503))
async def ready(probes: HealthDep) -> dict[str, Any]:
    """Storage answers and has room, its schema is not behind, no shutdown has begun.

    `runners` is information: a dead one makes answers degraded, not the front unready.
    """
    found = await probes.readiness()
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
            {"checks": checks, "runners": probes.states},
        )
    return {"status": "ready", "checks": checks, "runners": probes.states}


@health.get("/startup", summary="Has it got going?", responses=problems(503))
async def startup(probes: HealthDep) -> dict[str, Any]:
    """Migrations are done, and every runner was ready once or the grace is over."""
    waited_for = probes.waited_for
    if waited_for:
        raise Problem(
            "not_ready",
            "Still starting.",
            {"Retry-After": "2"},
            {"waiting_for": waited_for, "runners": probes.states},
        )
    return {"status": "started", "runners": probes.states}


@metrics.get("/metrics")
async def exposition(registry: RegistryDep) -> Response:
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
