"""Metrics of calls to runners, as a front sees them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from service.types import RunnerName

CALLS: Final = "osteoserve_runner_calls_total"
CALL_DURATION: Final = "osteoserve_runner_call_duration_seconds"
CALL_IMAGES: Final = "osteoserve_runner_call_images"
CIRCUIT_OPEN: Final = "osteoserve_circuit_open"
RUNNER_READY: Final = "osteoserve_runner_ready"

DURATION_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
IMAGES_BUCKETS: Final = (1, 2, 4, 8, 16, 32, 64)


@dataclass
class Call:
    """How a call to a runner ended; ``failed`` until somebody knows better."""

    result: str = "failed"


class RunnerMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._calls = Counter(
            CALLS,
            "Calls to runners by result: ok, or what was wrong.",
            ("runner", "result"),
            registry=registry,
        )
        self._duration = Histogram(
            CALL_DURATION,
            "Time of a call to a runner, second try included.",
            ("runner",),
            buckets=DURATION_BUCKETS,
            registry=registry,
        )
        self._images = Histogram(
            CALL_IMAGES,
            "Images in one call to a runner.",
            ("runner",),
            buckets=IMAGES_BUCKETS,
            registry=registry,
        )
        self._circuit_open = Gauge(
            CIRCUIT_OPEN,
            "1 while a runner is not called, since its circuit is open.",
            ("runner",),
            registry=registry,
        )
        self._ready = Gauge(
            RUNNER_READY,
            "1 if the runner said that it is ready when last asked.",
            ("runner",),
            registry=registry,
        )

    @contextmanager
    def call(self, runner: RunnerName, images: int) -> Iterator[Call]:
        """Time a call of so many ``images``; whoever makes it says how it ended."""
        call = Call()
        self._images.labels(runner).observe(images)
        start = time.perf_counter()
        try:
            yield call
        finally:
            self._calls.labels(runner, call.result).inc()
            self._duration.labels(runner).observe(time.perf_counter() - start)

    def circuit(self, runner: RunnerName, is_open: bool) -> None:
        self._circuit_open.labels(runner).set(is_open)

    def ready(self, runner: RunnerName, ready: bool) -> None:
        self._ready.labels(runner).set(ready)
