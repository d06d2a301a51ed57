"""Metrics of DICOMweb."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter

OBJECTS: Final = "osteoserve_dicomweb_objects_total"
RESULTS: Final = (
    "accepted", "duplicate", "ignored", "quarantined", "unreadable", "too_large", "mismatch",
    "not_taken", "not_stored",
)  # fmt: skip


class DicomWebMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._objects = Counter(
            OBJECTS, "DICOM objects that were sent by STOW-RS, by what became of them.",
            ("result",), registry=registry,
        )  # fmt: skip
        for result in RESULTS:
            self._objects.labels(result)

    def received(self, result: str) -> None:
        self._objects.labels(result).inc()
