"""Metrics of audit messages that leave for collectors."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

TOLD: Final = "osteoserve_audit_messages_total"
FAILED: Final = "osteoserve_audit_collector_failures_total"
WAITING: Final = "osteoserve_audit_messages_waiting"


class AuditMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._told = Counter(
            TOLD, "Audit messages that a collector has taken.", ["collector"], registry=registry
        )
        self._failed = Counter(
            FAILED,
            "Tries at a collector of audit messages that failed.",
            ["collector"],
            registry=registry,
        )
        self._waiting = Gauge(
            WAITING,
            "Entries of the trail that a collector does not have yet.",
            ["collector"],
            registry=registry,
        )

    def told(self, collector: str, count: int) -> None:
        self._told.labels(collector).inc(count)

    def failed(self, collector: str) -> None:
        self._failed.labels(collector).inc()

    def waiting(self, collector: str, count: int) -> None:
        self._waiting.labels(collector).set(count)
