"""Metrics of launches from a record."""

from __future__ import annotations

from typing import Final, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge

from service.identity.events import ProviderReason
from service.integration.events import Found, OwnReason

LAUNCHES: Final = "osteoserve_launches_total"
UP: Final = "osteoserve_launch_record_up"


class SmartMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._launches = Counter(
            LAUNCHES,
            "Launches from a record, by what was found of the patient, or why they were refused.",
            ["outcome"],
            registry=registry,
        )
        for outcome in (*get_args(Found), *get_args(OwnReason), *get_args(ProviderReason)):
            self._launches.labels(outcome)
        self._up = Gauge(
            UP,
            "Whether a record's authorization server gave an answer when it was asked last.",
            ["record"],
            registry=registry,
        )

    def launched(self, outcome: str) -> None:
        self._launches.labels(outcome).inc()

    def answers(self, record: str, well: bool) -> None:
        self._up.labels(record).set(well)


class RecordMetrics:
    """Those of one record, as :class:`~service.identity.oidc.discovery.Provider` tells them."""

    def __init__(self, metrics: SmartMetrics, record: str) -> None:
        self._metrics = metrics
        self._record = record

    def answers(self, well: bool) -> None:
        self._metrics.answers(self._record, well)
