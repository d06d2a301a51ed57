"""What each model does with its time: waiting, batching, computing."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from bentos.metrics import BATCH_SIZE, COMPUTE, IMAGES, QUEUE_DEPTH, QUEUE_WAIT
from k8s.dashboards.board import board, lines, numbers, of, quantile, rate
from service.runners.metrics import CALL_DURATION, CALL_IMAGES, CALLS, CIRCUIT_OPEN, RUNNER_READY


def build() -> Dashboard:
    return board(
        "runners",
        "runners and batching",
        {
            "Now": [
                numbers(
                    "Ready",
                    "none",
                    "As any front sees it.",
                    {"{{runner}}": f"max by (runner) ({of(RUNNER_READY)})"},
                    good_from=1.0,
                ),
                numbers(
                    "Circuit open",
                    "none",
                    "1: a front does not ask this runner, since it kept failing.",
                    {"{{runner}}": f"max by (runner) ({of(CIRCUIT_OPEN)})"},
                    bad_from=1.0,
                ),
            ],
            "Queue": [
                lines(
                    "Images waiting",
                    "short",
                    "All replicas together.",
                    {"{{runner}}": f"sum by (runner) ({of(QUEUE_DEPTH)})"},
                ),
                lines(
                    "Images in a pod's hands",
                    "short",
                    "Mean of the replicas, images being computed included: the chart's "
                    "`requestsInFlight` is held against it.",
                    {"{{runner}}": f"avg by (runner) ({of('osteoserve_runner_images_in_flight')})"},
                ),
                lines(
                    "95 % of images wait less than",
                    "s",
                    "The alert looks at the mean: a quarter of a second.",
                    {"{{runner}}": quantile(0.95, QUEUE_WAIT, "runner")},
                ),
                lines(
                    "What became of images",
                    "reqps",
                    "Expired: too late to be worth computing. Cancelled: who asked went away.",
                    {"{{runner}} {{result}}": f"sum by (runner, result) ({rate(IMAGES)})"},
                ),
            ],
            "Batches": [
                lines(
                    "Mean batch",
                    "short",
                    "Images computed together.",
                    {"{{runner}}": _mean(BATCH_SIZE)},
                ),
                lines(
                    "Images in one call from a front",
                    "short",
                    "Waiting images travel together.",
                    {"{{runner}}": _mean(CALL_IMAGES)},
                ),
                lines(
                    "95 % of batches are computed within",
                    "s",
                    "All images of a batch together.",
                    {"{{runner}}": quantile(0.95, COMPUTE, "runner")},
                ),
                lines(
                    "Computing time an image",
                    "s",
                    "What an image costs; larger batches make it less.",
                    {
                        "{{runner}}": f"sum by (runner) ({rate(f'{COMPUTE}_sum')}) "
                        f"/ sum by (runner) ({rate(f'{BATCH_SIZE}_sum')})"
                    },
                ),
            ],
            "As the fronts see it": [
                lines(
                    "95 % of calls within",
                    "s",
                    "Way, queue and computing.",
                    {"{{runner}}": quantile(0.95, CALL_DURATION, "runner")},
                ),
                lines(
                    "Calls, by result",
                    "reqps",
                    "ok, or what was wrong.",
                    {"{{runner}} {{result}}": f"sum by (runner, result) ({rate(CALLS)})"},
                ),
            ],
        },
    )


def _mean(histogram: str) -> str:
    return (
        f"sum by (runner) ({rate(f'{histogram}_sum')}) "
        f"/ sum by (runner) ({rate(f'{histogram}_count')})"
    )
