"""The metrics that there are, by the names that Prometheus stores."""

from __future__ import annotations

import asyncio
from functools import cache

import httpx
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from starlette.types import ASGIApp

from bentos.backlog import Backlog
from bentos.runner import build_metrics
from service.integration.ledger.schemas import Balance
from service.integration.metrics import GatewayMetrics
from service.metrics import Metrics


@cache
def of_front() -> frozenset[str]:
    # What is only there once a database is a file of ours, or enough images have been seen.
    later = {"osteoserve_storage_free_bytes", "osteoserve_storage_size_bytes"}
    return _stored(generate_latest(Metrics().registry).decode()) | later


@cache
def of_gateway() -> frozenset[str]:
    """What the gateway tells beside what the front does."""
    registry = CollectorRegistry()
    GatewayMetrics(registry).ledger(Balance(accepted=0), {}, {})
    return _stored(generate_latest(registry).decode())


@cache
def of_runners() -> frozenset[str]:
    """What each runner's own /metrics tells."""
    registry = CollectorRegistry()
    Backlog("cnn", 1, registry)
    return _stored(asyncio.run(_told(build_metrics(registry))))


async def _told(app: ASGIApp) -> str:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
        return (await client.get("http://runner/metrics")).text


def _stored(exposition: str) -> frozenset[str]:
    suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}
    return frozenset(
        family.name + suffix
        for family in text_string_to_metric_families(exposition)
        for suffix in suffixes.get(family.type, ("",))
    )
