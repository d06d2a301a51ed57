"""Metrics of DICOMweb."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter

OBJECTS: Final = "osteoserve_dicomweb_objects_total"
WORKITEMS: Final = "osteoserve_dicomweb_workitems_total"
RESULTS: Final = (
    "accepted", "duplicate", "ignored", "quarantined", "unreadable", "too_large", "mismatch",
    "not_taken", "not_stored",
)  # fmt: skip
ACTS: Final = ("create", "update", "claim", "complete", "cancel")


class DicomWebMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._objects = Counter(
            OBJECTS, "DICOM objects that were sent by STOW-RS, by what became of them.",
            ("result",), registry=registry,
        )  # fmt: skip
        self._workitems = Counter(
            WORKITEMS, "Work items, by what programs did with them by UPS-RS.", ("act",),
            registry=registry,
        )  # fmt: skip
        for result in RESULTS:
            self._objects.labels(result)
        for act in ACTS:
            self._workitems.labels(act)

    def received(self, result: str) -> None:
        self._objects.labels(result).inc()

    def workitem(self, act: str) -> None:
        self._workitems.labels(act).inc()
