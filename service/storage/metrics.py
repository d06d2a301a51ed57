"""Metrics of the database."""

from __future__ import annotations

from typing import Final, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge

from service.storage.database import Table

STORAGE_UP: Final = "osteoserve_storage_up"
STORAGE_FULL: Final = "osteoserve_storage_full"
STORAGE_FREE: Final = "osteoserve_storage_free_bytes"
STORAGE_SIZE: Final = "osteoserve_storage_size_bytes"
ROWS_UNREADABLE: Final = "osteoserve_rows_unreadable_total"


class StorageMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._disk: tuple[Gauge, ...] | None = None
        self._up = Gauge(
            STORAGE_UP, "1 if the database answered when last asked.", registry=registry
        )
        self._full = Gauge(
            STORAGE_FULL,
            "1 if there was no room to store anything when last tried.",
            registry=registry,
        )
        self._unreadable = Counter(
            ROWS_UNREADABLE,
            "Stored rows that were asked for and could not be understood, by table.",
            ("table",),
            registry=registry,
        )
        for table in get_args(Table):
            self._unreadable.labels(table)

    def state(self, up: bool, full: bool) -> None:
        self._up.set(up)
        self._full.set(full)

    def row_unreadable(self, table: Table) -> None:
        self._unreadable.labels(table).inc()

    def disk(self, free: int, size: int) -> None:
        """Tell of the file system under the database, in bytes; only where it is ours to fill."""
        if self._disk is None:
            self._disk = tuple(
                Gauge(name, text, registry=self._registry)
                for name, text in (
                    (STORAGE_FREE, "Room left on the file system that holds the database."),
                    (STORAGE_SIZE, "Size of the file system that holds the database."),
                )
            )
        for gauge, value in zip(self._disk, (free, size), strict=True):
            gauge.set(value)
