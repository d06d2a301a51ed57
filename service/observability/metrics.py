"""What is counted, in a registry of each app's own. Names and buckets have their home here."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Literal, get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

from listener.refusal import ENDS
from models.drift.statistics import Statistic
from models.gate import Reason
from models.image.errors import ScanError
from service.decoding.decoder import Lane
from service.decoding.pool import Reason as EndReason
from service.flow.priority import Priority
from service.flow.single_flight import Found
from service.observability.slo import SLOS
from service.predictions.schemas import Prediction
from service.storage.database import Table
from service.types import PARTS, Outcome, RunnerName

REQUEST_BUCKETS: Final = tuple(
    sorted(
        {0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, *(s.latency_seconds for s in SLOS)}
    )
)
"""Every threshold of an objective is one of them, or nobody could tell whether it holds."""
RUNNER_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
CALL_BUCKETS: Final = (1, 2, 4, 8, 16, 32, 64)
SCORE_BUCKETS: Final = tuple(round(0.1 * step, 1) for step in range(1, 11))
STATISTIC_BUCKETS: Final[dict[Statistic, tuple[float, ...]]] = {
    "brightness": (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.75),
    "contrast": (0.1, 0.15, 0.2, 0.225, 0.25, 0.275, 0.3, 0.35, 0.4),
    "detail": (0.01, 0.02, 0.03, 0.04, 0.045, 0.05, 0.055, 0.06, 0.08),
}

ShedReason = Literal["queue", "decoders"]
"""Too many wait, or no decoder became free in time."""

_OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_MEANINGS: Final[dict[Statistic, str]] = {
    "brightness": "Mean grey",
    "contrast": "Standard deviation of grey",
    "detail": "Mean step from row to row",
}


@dataclass
class Call:
    """How a call to a runner ended; ``failed`` until somebody knows better."""

    result: str = "failed"
    seconds: float = 0.0


class Metrics:
    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "osteoserve_http_requests",
            "Requests by method, route template and status.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._duration = Histogram(
            "osteoserve_http_request_duration_seconds",
            "Time from a request's head to its answer's head; a batch's lines are not waited for.",
            ("method", "route"),
            buckets=REQUEST_BUCKETS,
            registry=self.registry,
        )
        self.in_flight = Gauge(
            "osteoserve_http_requests_in_flight",
            "Requests being answered.",
            registry=self.registry,
        )
        self._ended = Counter(
            "osteoserve_connections_ended",
            "Connections that the listener ended: what it answered, or why it did not.",
            ("reason",),
            registry=self.registry,
        )
        for reason in ENDS:
            self._ended.labels(reason)
        self._predictions = Counter(
            "osteoserve_predictions",
            "Predictions stored, by outcome and whether a model was missing.",
            ("outcome", "degraded"),
            registry=self.registry,
        )
        self._refused = Counter(
            "osteoserve_predictions_refused",
            "Images refused as not usable, by reason; one image may have several.",
            ("reason",),
            registry=self.registry,
        )
        self._missing = Counter(
            "osteoserve_predictions_degraded",
            "Predictions stored without a model that belongs to them, by that model.",
            ("missing",),
            registry=self.registry,
        )
        self._unreadable = Counter(
            "osteoserve_files_unreadable",
            "Files that could not be read as a scan, by code.",
            ("code",),
            registry=self.registry,
        )
        self._score = Histogram(
            "osteoserve_prediction_score_ratio",
            "Calibrated probability of osteoporosis of predictions that are not degraded.",
            buckets=SCORE_BUCKETS,
            registry=self.registry,
        )
        self._statistics = {
            name: Histogram(
                f"osteoserve_image_{name}_ratio",
                f"{meaning} of accepted images, of the range from black to white.",
                buckets=STATISTIC_BUCKETS[name],
                registry=self.registry,
            )
            for name, meaning in _MEANINGS.items()
        }
        self._stability = Gauge(
            "osteoserve_drift_stability_index",
            "Population stability index of the last images against the models' reference.",
            ("statistic",),
            registry=self.registry,
        )
        self._window = Gauge(
            "osteoserve_drift_window_images",
            "Images that the stability index would be told of now.",
            ("statistic",),
            registry=self.registry,
        )
        self._runner_calls = Counter(
            "osteoserve_runner_calls",
            "Calls to runners by result: ok, or what was wrong.",
            ("runner", "result"),
            registry=self.registry,
        )
        self._runner_duration = Histogram(
            "osteoserve_runner_call_duration_seconds",
            "Time of a call to a runner, second try included.",
            ("runner",),
            buckets=RUNNER_BUCKETS,
            registry=self.registry,
        )
        self._runner_images = Histogram(
            "osteoserve_runner_call_images",
            "Images in one call to a runner.",
            ("runner",),
            buckets=CALL_BUCKETS,
            registry=self.registry,
        )
        self._circuit_open = Gauge(
            "osteoserve_circuit_open",
            "1 while a runner is left alone because it did not answer.",
            ("runner",),
            registry=self.registry,
        )
        self._sheds = Counter(
            "osteoserve_sheds",
            "Images turned away: too many waited, or no decoder became free in time.",
            ("priority", "reason"),
            registry=self.registry,
        )
        for priority in Priority:
            for reason in get_args(ShedReason):
                self._sheds.labels(priority.label, reason)
        self._decoders_ended = Counter(
            "osteoserve_decoders_ended",
            "Decoders ended before they were done, by lane and reason. "
            "What the quick lane ends goes on in the long one.",
            ("lane", "reason"),
            registry=self.registry,
        )
        for lane in get_args(Lane):
            for why in get_args(EndReason):
                self._decoders_ended.labels(lane, why)
        self._cache = Counter(
            "osteoserve_cache_lookups",
            "Looks for an answer to the same file: hit, joined one being made, or miss.",
            ("result",),
            registry=self.registry,
        )
        for found in get_args(Found):
            self._cache.labels(found)
        self._runner_ready = Gauge(
            "osteoserve_runner_ready",
            "1 if the runner said that it is ready when last asked.",
            ("runner",),
            registry=self.registry,
        )
        self._disk: tuple[Gauge, ...] | None = None
        self._storage_up = Gauge(
            "osteoserve_storage_up",
            "1 if the database answered when last asked.",
            registry=self.registry,
        )
        self._rows_unreadable = Counter(
            "osteoserve_rows_unreadable",
            "Stored rows that were asked for and could not be understood, by table.",
            ("table",),
            registry=self.registry,
        )
        for table in get_args(Table):
            self._rows_unreadable.labels(table)
        self._storage_full = Gauge(
            "osteoserve_storage_full",
            "1 if there was no room to store anything when last tried.",
            registry=self.registry,
        )
        self._objectives()
        self._begin_at_zero()

    def _objectives(self) -> None:
        """Tell the targets, so that whoever reads the metrics need not know the table."""
        labels = ("slo", "method", "route")
        availability = Gauge(
            "osteoserve_slo_availability_target_ratio",
            "Least share of requests that are not answered with a 5xx.",
            labels,
            registry=self.registry,
        )
        threshold = Gauge(
            "osteoserve_slo_latency_threshold_seconds",
            "Time within which an answer is fast.",
            labels,
            registry=self.registry,
        )
        share = Gauge(
            "osteoserve_slo_latency_target_ratio",
            "Least share of requests whose answer is fast.",
            labels,
            registry=self.registry,
        )
        for slo in SLOS:
            of = (slo.name, slo.method, slo.route)
            availability.labels(*of).set(slo.availability)
            threshold.labels(*of).set(slo.latency_seconds)
            share.labels(*of).set(slo.latency_share)

    def _begin_at_zero(self) -> None:
        """Make the series that are known beforehand: the first event of one that was not there
        is no increase, so a rate would miss it."""
        for slo in SLOS:
            self._duration.labels(slo.method, slo.route)
            for status in ("500", "503"):
                self._requests.labels(slo.method, slo.route, status)
        for outcome in _OUTCOMES:
            for degraded in ("false",) if outcome == "refused" else ("false", "true"):
                self._predictions.labels(outcome, degraded)
        for reason in Reason:
            if reason.refuses:
                self._refused.labels(reason.value)
        for missing in PARTS:
            self._missing.labels(missing)
        self._unreadable.labels(ScanError.code)
        for error in ScanError.__subclasses__():
            self._unreadable.labels(error.code)

    def connection_ended(self, reason: str) -> None:
        self._ended.labels(reason).inc()

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        method = method if method in _METHODS else "other"
        self._requests.labels(method, route, str(status)).inc()
        self._duration.labels(method, route).observe(seconds)

    def prediction(self, prediction: Prediction) -> None:
        self._predictions.labels(prediction.outcome, str(prediction.degraded).lower()).inc()
        for reason in prediction.quality.reasons:
            self._refused.labels(reason).inc()
        for missing in prediction.missing:
            self._missing.labels(missing).inc()
        if prediction.probability is not None and not prediction.degraded:
            self._score.observe(prediction.probability)

    def unreadable(self, error: ScanError) -> None:
        self._unreadable.labels(error.code).inc()

    def image(self, statistics: Mapping[Statistic, float]) -> None:
        for name, value in statistics.items():
            self._statistics[name].observe(value)

    def drift(self, statistic: str, images: int, index: float | None) -> None:
        """``index`` is None while there are too few images to tell."""
        self._window.labels(statistic).set(images)
        if index is not None:
            self._stability.labels(statistic).set(index)

    @contextmanager
    def runner_call(self, runner: RunnerName, images: int) -> Iterator[Call]:
        call = Call()
        self._runner_images.labels(runner).observe(images)
        start = time.perf_counter()
        try:
            yield call
        finally:
            call.seconds = time.perf_counter() - start
            self._runner_calls.labels(runner, call.result).inc()
            self._runner_duration.labels(runner).observe(call.seconds)

    def circuit(self, runner: RunnerName, is_open: bool) -> None:
        self._circuit_open.labels(runner).set(is_open)

    def shed(self, priority: Priority, reason: ShedReason) -> None:
        self._sheds.labels(priority.label, reason).inc()

    def decoder_ended(self, lane: Lane, reason: EndReason) -> None:
        self._decoders_ended.labels(lane, reason).inc()

    def cache(self, found: Found) -> None:
        self._cache.labels(found).inc()

    def runner_ready(self, runner: RunnerName, ready: bool) -> None:
        self._runner_ready.labels(runner).set(ready)

    def storage(self, up: bool, full: bool) -> None:
        self._storage_up.set(up)
        self._storage_full.set(full)

    def row_unreadable(self, table: Table) -> None:
        self._rows_unreadable.labels(table).inc()

    def disk(self, free: int, size: int) -> None:
        """Tell of the file system under the database, in bytes; only where it is ours to fill."""
        if self._disk is None:
            self._disk = tuple(
                Gauge(f"osteoserve_storage_{name}_bytes", text, registry=self.registry)
                for name, text in (
                    ("free", "Room left on the file system that holds the database."),
                    ("size", "Size of the file system that holds the database."),
                )
            )
        for gauge, value in zip(self._disk, (free, size), strict=True):
            gauge.set(value)

    def exposition(self) -> bytes:
        return generate_latest(self.registry)
