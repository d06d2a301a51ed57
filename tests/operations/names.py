"""The metrics that there are, by the names that Prometheus stores."""

from __future__ import annotations

from typing import Final

from prometheus_client.parser import text_string_to_metric_families

from service.metrics import Metrics

OF_RUNNERS: Final = frozenset(
    {
        "osteoserve_runner_queue_depth",
        "osteoserve_runner_images_total",
        *(
            f"osteoserve_runner_{name}{suffix}"
            for name in ("queue_wait_seconds", "batch_size", "compute_seconds")
            for suffix in ("_bucket", "_count", "_sum")
        ),
    }
)
"""What each runner's own /metrics tells; its registry is in another environment."""


def of_front() -> frozenset[str]:
    suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}
    families = text_string_to_metric_families(Metrics().exposition().decode())
    # What is only there once a database is a file of ours, or enough images have been seen.
    later = {"osteoserve_storage_free_bytes", "osteoserve_storage_size_bytes"}
    return frozenset(later) | {
        family.name + suffix for family in families for suffix in suffixes.get(family.type, ("",))
    }
