"""The registry of one app's metrics, in which each room declares its own (its ``metrics.py``).

Names stand there as constants, as Prometheus shows them; rules and dashboards import them.
"""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Gauge, ProcessCollector

from service.observability.slo import SLOS

AVAILABILITY_TARGET: Final = "osteoserve_slo_availability_target_ratio"
LATENCY_THRESHOLD: Final = "osteoserve_slo_latency_threshold_seconds"
LATENCY_TARGET: Final = "osteoserve_slo_latency_target_ratio"


def new_registry() -> CollectorRegistry:
    """Return a registry with what is known of the process, and with the objectives.

    The targets are told, so that whoever reads the metrics need not know the table.
    """
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    labels = ("slo", "method", "route")
    availability = Gauge(
        AVAILABILITY_TARGET,
        "Least share of requests that are not answered with a 5xx.",
        labels,
        registry=registry,
    )
    threshold = Gauge(
        LATENCY_THRESHOLD, "Time within which an answer is fast.", labels, registry=registry
    )
    share = Gauge(
        LATENCY_TARGET, "Least share of requests whose answer is fast.", labels, registry=registry
    )
    for slo in SLOS:
        of = (slo.name, slo.method, slo.route)
        availability.labels(*of).set(slo.availability)
        threshold.labels(*of).set(slo.latency_seconds)
        share.labels(*of).set(slo.latency_share)
    return registry
