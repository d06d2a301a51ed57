"""Metrics of load control: images turned away, lookups in the cache."""

from __future__ import annotations

from typing import Final, Literal, get_args

from prometheus_client import CollectorRegistry, Counter

from service.flow.priority import Priority
from service.flow.single_flight import Found

SHEDS: Final = "osteoserve_sheds_total"
CACHE_LOOKUPS: Final = "osteoserve_cache_lookups_total"

ShedReason = Literal["queue", "decoders"]
"""Too many wait, or no decoder became free in time."""


class FlowMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._sheds = Counter(
            SHEDS,
            "Images turned away: too many waited, or no decoder became free in time.",
            ("priority", "reason"),
            registry=registry,
        )
        self._cache = Counter(
            CACHE_LOOKUPS,
            "Looks for an answer to the same file: hit, joined one being made, or miss.",
            ("result",),
            registry=registry,
        )
        for priority in Priority:
            for reason in get_args(ShedReason):
                self._sheds.labels(priority.label, reason)
        for found in get_args(Found):
            self._cache.labels(found)

    def shed(self, priority: Priority, reason: ShedReason) -> None:
        self._sheds.labels(priority.label, reason).inc()

    def cache(self, found: Found) -> None:
        self._cache.labels(found).inc()
