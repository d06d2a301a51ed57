"""What is counted, in a registry of each app's own. Names and buckets have their home here."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from service.priority import Priority
from service.recent import Found
from service.types import Outcome, RunnerName

REQUEST_BUCKETS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
RUNNER_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
CALL_BUCKETS: Final = (1, 2, 4, 8, 16, 32, 64)

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@dataclass
class Call:
    """How a call to a runner ended; ``failed`` until somebody knows better."""

    result: str = "failed"
    seconds: float = 0.0


class Metrics:
    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "osteoserve_http_requests",
            "Requests by method, route template and status.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._duration = Histogram(
            "osteoserve_http_request_duration_seconds",
            "Time from a request's head to its answer's last byte.",
            ("method", "route"),
            buckets=REQUEST_BUCKETS,
            registry=self.registry,
        )
        self.in_flight = Gauge(
            "osteoserve_http_requests_in_flight",
            "Requests being answered.",
            registry=self.registry,
        )
        self._predictions = Counter(
            "osteoserve_predictions",
            "Predictions stored, by outcome and whether a model was missing.",
            ("outcome", "degraded"),
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
        self._cache = Counter(
            "osteoserve_cache_lookups",
            "Looks for an answer to the same file: hit, joined one being made, or miss.",
            ("result",),
            registry=self.registry,
        )
        self._runner_ready = Gauge(
            "osteoserve_runner_ready",
            "1 if the runner said that it is ready when last asked.",
            ("runner",),
            registry=self.registry,
        )

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        method = method if method in _METHODS else "other"
        self._requests.labels(method, route, str(status)).inc()
        self._duration.labels(method, route).observe(seconds)

    def prediction(self, outcome: Outcome, degraded: bool) -> None:
        self._predictions.labels(outcome, str(degraded).lower()).inc()

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

    def shed(self, priority: Priority, reason: Literal["queue", "decoders"]) -> None:
        self._sheds.labels(priority.label, reason).inc()

    def cache(self, found: Found) -> None:
        self._cache.labels(found).inc()

    def runner_ready(self, runner: RunnerName, ready: bool) -> None:
        self._runner_ready.labels(runner).set(ready)

    def exposition(self) -> bytes:
        return generate_latest(self.registry)
