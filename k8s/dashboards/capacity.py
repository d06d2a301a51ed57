"""How much of what there is is used, and what would be full first."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from bentos.metrics import BATCH_SIZE, COMPUTE, IMAGES
from k8s.dashboards.board import board, lines, of, rate, share
from service.flow.metrics import CACHE_LOOKUPS, SHEDS
from service.http.metrics import IN_FLIGHT
from service.predictions.metrics import PREDICTIONS
from service.storage.metrics import STORAGE_FREE, STORAGE_SIZE


def build() -> Dashboard:
    busy = rate(f"{COMPUTE}_sum")
    return board(
        "capacity",
        "capacity",
        {
            "Asked for": [
                lines(
                    "Predictions",
                    "reqps",
                    "Judged and refused images, single ones and those of batches.",
                    {"predictions": f"sum({rate(PREDICTIONS)})"},
                ),
                lines(
                    "Requests in hand",
                    "short",
                    "All fronts together.",
                    {"requests": f"sum({of(IN_FLIGHT)})"},
                ),
                lines(
                    "Turned away",
                    "reqps",
                    "503 before any work was done; 0 where nothing ever was.",
                    {
                        "{{priority}} {{reason}}": f"sum by (priority, reason) ({rate(SHEDS)}) "
                        f"or 0 * sum({rate(PREDICTIONS)})"
                    },
                ),
                lines(
                    "Answered without computing",
                    "percentunit",
                    "The same image as before, or as one in hand.",
                    {
                        "{{result}}": f"sum by (result) ({rate(CACHE_LOOKUPS)}) "
                        f"/ scalar(sum({rate(CACHE_LOOKUPS)}))"
                    },
                ),
            ],
            "Used": [
                lines(
                    "Share of time that a runner computes",
                    "percentunit",
                    "Mean of its replicas. Near 1 it needs another, or more CPU.",
                    {"{{runner}}": f"avg by (runner) ({busy})"},
                ),
                lines(
                    "Images that a runner could do",
                    "reqps",
                    "All replicas, at the present size of batches, if it did nothing else.",
                    {
                        "{{runner}}": f"sum by (runner) ({rate(f'{BATCH_SIZE}_sum')})"
                        f" / avg by (runner) ({busy})"
                    },
                ),
                lines(
                    "Images that were late",
                    "percentunit",
                    "Shed or expired, of all that a runner was given.",
                    {
                        "{{runner}}": share(
                            rate(IMAGES, 'result=~"shed|expired"'),
                            rate(IMAGES),
                            "runner",
                        )
                    },
                ),
                lines(
                    "CPU of the fronts",
                    "short",
                    "Cores. A front decodes files; OSTEOSERVE_DECODERS is its limit.",
                    {"{{instance}}": rate("process_cpu_seconds_total", 'component="front"')},
                ),
                lines(
                    "Memory of the fronts",
                    "bytes",
                    "Resident.",
                    {"{{instance}}": of("process_resident_memory_bytes", 'component="front"')},
                ),
            ],
            "Room": [
                lines(
                    "Free on the database's disk",
                    "bytes",
                    "SQLite alone; a server of its own tells of its own disk.",
                    {"{{instance}}": of(STORAGE_FREE)},
                ),
                lines(
                    "Share of the database's disk that is free",
                    "percentunit",
                    "Below a tenth somebody is called.",
                    {"{{instance}}": f"{of(STORAGE_FREE)} / {of(STORAGE_SIZE)}"},
                ),
            ],
        },
    )
