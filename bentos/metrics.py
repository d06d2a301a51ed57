"""Names of a runner's metrics, as Prometheus shows them; rules and dashboards import them."""

from __future__ import annotations

from typing import Final

QUEUE_DEPTH: Final = "osteoserve_runner_queue_depth"
QUEUE_WAIT: Final = "osteoserve_runner_queue_wait_seconds"
BATCH_SIZE: Final = "osteoserve_runner_batch_size"
COMPUTE: Final = "osteoserve_runner_compute_seconds"
IMAGES: Final = "osteoserve_runner_images_total"
