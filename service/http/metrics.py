"""Metrics of requests and connections."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from listener.refusal import ENDS
from service.observability.slo import SLOS

REQUESTS: Final = "osteoserve_http_requests_total"
DURATION: Final = "osteoserve_http_request_duration_seconds"
IN_FLIGHT: Final = "osteoserve_http_requests_in_flight"
CONNECTIONS_ENDED: Final = "osteoserve_connections_ended_total"

BUCKETS: Final = tuple(
    sorted(
        {0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, *(s.latency_seconds for s in SLOS)}
    )
)
"""Every threshold of an objective is one of them, or nobody could tell whether it holds."""

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class HttpMetrics:
    """Series that are known beforehand begin at zero: the first event of one that was not there is
    no increase, so a rate would miss it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            REQUESTS,
            "Requests by method, route template and status.",
            ("method", "route", "status"),
            registry=registry,
        )
        self._duration = Histogram(
            DURATION,
            "Time from a request's head to its answer's head; a batch's lines are not waited for.",
            ("method", "route"),
            buckets=BUCKETS,
            registry=registry,
        )
        self.in_flight = Gauge(IN_FLIGHT, "Requests being answered.", registry=registry)
        self._ended = Counter(
            CONNECTIONS_ENDED,
            "Connections that the listener ended: what it answered, or why it did not.",
            ("reason",),
            registry=registry,
        )
        for reason in ENDS:
            self._ended.labels(reason)
        for slo in SLOS:
            self._duration.labels(slo.method, slo.route)
            for status in ("500", "503"):
                self._requests.labels(slo.method, slo.route, status)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        method = method if method in _METHODS else "other"
        self._requests.labels(method, route, str(status)).inc()
        self._duration.labels(method, route).observe(seconds)

    def connection_ended(self, reason: str) -> None:
        self._ended.labels(reason).inc()
