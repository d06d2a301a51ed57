"""Metrics of the gateway: counts and states, never who or what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge

from service.integration.ledger.schemas import (
    Balance,
    CaseState,
    CommitmentState,
    DeliveryState,
    PullState,
    WorkitemState,
)

OBJECTS: Final = "osteoserve_gateway_objects_total"
REJECTED: Final = "osteoserve_gateway_rejected_total"
ASSOCIATIONS: Final = "osteoserve_gateway_associations"
LEDGER: Final = "osteoserve_ledger_objects"
UNACCOUNTED: Final = "osteoserve_ledger_unaccounted_objects"
STATES: Final = "osteoserve_ledger_rows"
OLDEST: Final = "osteoserve_ledger_oldest_seconds"
MESSAGES: Final = "osteoserve_gateway_messages_total"
READ: Final = "osteoserve_gateway_reports_total"
ATTEMPTS: Final = "osteoserve_gateway_deliveries_total"
PULLED: Final = "osteoserve_gateway_pulled_total"
ASKED: Final = "osteoserve_gateway_worklist_total"

REJECTIONS: Final = ("address", "crowd", "peer", "stopping", "tls")
RECEIVED: Final = (
    "accepted", "duplicate", "ignored", "quarantined", "unreadable", "too_large", "mismatch",
    "not_stored",
)  # fmt: skip
BUCKETS: Final = (
    "delivered", "superseded", "ignored", "quarantined", "discarded", "dead", "read",
    "in_progress",
)  # fmt: skip
TAKEN: Final = ("taken", "again", "refused", "not_kept", "unreadable")
STUDIES: Final = ("fetched", "skipped", "failed")
ORDERS: Final = ("found", "none", "ambiguous", "not_answered")
REPORTS: Final = ("taken", "partly", "empty", "refused")
_SENT: Final[tuple[DeliveryState, ...]] = ("accepted", "committing", "committed", "waiting", "dead")


class GatewayMetrics:
    """Series that are known beforehand begin at zero."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._objects = Counter(
            OBJECTS, "DICOM objects that were sent, by what became of them.", ("result",),
            registry=registry,
        )  # fmt: skip
        self._rejected = Counter(
            REJECTED, "Connections and associations that were not accepted, by reason.",
            ("reason",), registry=registry,
        )  # fmt: skip
        self._associations = Gauge(
            ASSOCIATIONS, "DICOM connections that are open.", registry=registry
        )
        self._ledger = Gauge(
            LEDGER, "Objects that were ever acknowledged, by where they stand.", ("state",),
            registry=registry,
        )  # fmt: skip
        self._unaccounted = Gauge(
            UNACCOUNTED, "Acknowledged objects of which the ledger cannot say what becomes of "
            "them; anything but 0 is a fault.", registry=registry,
        )  # fmt: skip
        self._rows = Gauge(
            STATES,
            "Cases, deliveries, peers' questions for commitment, ours to archives, and work items, "
            "by state.",
            ("kind", "state"),
            registry=registry,
        )
        self._oldest = Gauge(
            OLDEST, "Since the oldest that is in progress was begun; 0 where none is.", ("kind",),
            registry=registry,
        )  # fmt: skip
        self._attempts = Counter(
            ATTEMPTS, "Attempts to deliver, by the delivery's state after it.", ("state",),
            registry=registry,
        )  # fmt: skip
        self._read = Counter(
            READ, "Scanners' own reports, by what became of their numbers.", ("result",),
            registry=registry,
        )  # fmt: skip
        self._messages = Counter(
            MESSAGES, "HL7 messages that were sent here, by what became of them.", ("result",),
            registry=registry,
        )  # fmt: skip
        self._pulled = Counter(
            PULLED, "Studies that archives were asked for, by what became of them.", ("result",),
            registry=registry,
        )  # fmt: skip
        self._asked = Counter(
            ASKED, "Questions to worklists for an order, by what they were answered.", ("result",),
            registry=registry,
        )  # fmt: skip
        for result in STUDIES:
            self._pulled.labels(result)
        for result in ORDERS:
            self._asked.labels(result)
        for result in TAKEN:
            self._messages.labels(result)
        for result in REPORTS:
            self._read.labels(result)
        for result in RECEIVED:
            self._objects.labels(result)
        for reason in REJECTIONS:
            self._rejected.labels(reason)
        for state in _SENT:
            self._attempts.labels(state)

    def received(self, result: str) -> None:
        self._objects.labels(result).inc()

    def message(self, result: str) -> None:
        self._messages.labels(result).inc()

    def read(self, result: str) -> None:
        self._read.labels(result).inc()

    def pulled(self, result: str, number: int = 1) -> None:
        self._pulled.labels(result).inc(number)

    def asked(self, result: str) -> None:
        self._asked.labels(result).inc()

    def rejected(self, reason: str) -> None:
        self._rejected.labels(reason).inc()

    def associations(self, number: int) -> None:
        self._associations.set(number)

    def attempted(self, state: str) -> None:
        self._attempts.labels(state).inc()

    def ledger(
        self,
        balance: Balance,
        states: Mapping[tuple[str, str], int],
        oldest: Mapping[str, float],
    ) -> None:
        """Tell where everything stands; ``oldest``: seconds, by kind."""
        for bucket in BUCKETS:
            self._ledger.labels(bucket).set(getattr(balance, bucket))
        self._unaccounted.set(balance.unaccounted)
        for kind, every in (
            ("case", get_args(CaseState)),
            ("delivery", get_args(DeliveryState)),
            ("commitment", get_args(CommitmentState)),
            ("pull", get_args(PullState)),
            ("workitem", get_args(WorkitemState)),
        ):
            self._oldest.labels(kind).set(oldest.get(kind, 0.0))
            for state in every:
                self._rows.labels(kind, state).set(states.get((kind, state), 0))
