"""Metrics of decoders."""

from __future__ import annotations

from typing import Final, get_args

from prometheus_client import CollectorRegistry, Counter

from service.decoding.decoder import Lane
from service.decoding.pool import Reason

DECODERS_ENDED: Final = "osteoserve_decoders_ended_total"


class DecoderMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._ended = Counter(
            DECODERS_ENDED,
            "Decoders ended before they were done, by lane and reason. "
            "What the quick lane ends goes on in the long one.",
            ("lane", "reason"),
            registry=registry,
        )
        for lane in get_args(Lane):
            for reason in get_args(Reason):
                self._ended.labels(lane, reason)

    def ended(self, lane: Lane, reason: Reason) -> None:
        self._ended.labels(lane, reason).inc()
