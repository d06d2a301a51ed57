"""Metrics of clinical decision support."""

from __future__ import annotations

from typing import Final, get_args

from prometheus_client import CollectorRegistry, Counter

from service.integration.cds.schemas import SERVICES, Outcome

CALLS: Final = "osteoserve_cds_calls_total"
FEEDBACK: Final = "osteoserve_cds_feedback_total"
RESULTS: Final = ("cards", "none", "no_patient", "ambiguous")


class CdsMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._calls = Counter(
            CALLS, "Calls of CDS Hooks, by service and by what they were answered with.",
            ("service", "result"), registry=registry,
        )  # fmt: skip
        self._feedback = Counter(
            FEEDBACK, "Cards that somebody has accepted or overridden.", ("service", "outcome"),
            registry=registry,
        )  # fmt: skip
        for one in SERVICES:
            for result in RESULTS:
                self._calls.labels(one["id"], result)
            for outcome in get_args(Outcome):
                self._feedback.labels(one["id"], outcome)

    def called(self, service: str, result: str) -> None:
        self._calls.labels(service, result).inc()

    def heard(self, service: str, outcome: str) -> None:
        self._feedback.labels(service, outcome).inc()
