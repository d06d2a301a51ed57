"""One warm request alone, from the front to its answer, against the slowest model's own time."""

from __future__ import annotations

import statistics
from typing import Any, Final

from loadtests.benchmark.contenders import OSTEOSERVE
from loadtests.benchmark.generator import Plan
from loadtests.benchmark.modes.run import Run, say
from loadtests.benchmark.percentiles import percentile

TURNS: Final = 3
REQUESTS: Final = 40
WARM: Final = 10
"""Of these requests, sent first, nobody takes the time."""

FACTOR: Final = 1.35
CONSTANT_MS: Final = 15.0
"""What is allowed: the factor times the slowest base model alone, and the constant."""


def one(run: Run) -> dict[str, Any]:
    """Return medians in milliseconds, and whether the allowed time is kept.

    Requests and the bare models take turns, since a machine's pace drifts.
    """
    latencies: list[float] = []
    turns: list[dict[str, float]] = []
    cost: dict[str, float] = {}
    with run.on(OSTEOSERVE) as (server, bench):
        for _ in range(TURNS):
            sent = bench.send(Plan(server.url, bench.take(WARM + REQUESTS)))
            latencies += [1000 * sample.latency for sample in sent.samples[WARM:]]
            cost = {name: 1000 * spent / len(sent.samples) for name, spent in bench.cost.items()}
            turns.append(run.alone())
        checked = bench.checked.record()
    alone = {name: statistics.median(turn[name] for turn in turns) for name in turns[0]}
    slowest = max(alone, key=lambda name: alone[name])
    allowed = FACTOR * alone[slowest] + CONSTANT_MS
    found: dict[str, Any] = {
        "p50_ms": percentile(latencies, 0.5),
        "p99_ms": percentile(latencies, 0.99),
        "cpu_ms": cost,
        "models_alone_ms": alone,
        "slowest": slowest,
        "allowed_ms": allowed,
        "kept": {"p50": percentile(latencies, 0.5) <= allowed},
        "checked": checked,
    }
    say(
        f"one request alone: p50 {found['p50_ms']:.1f} ms; {slowest} alone "
        f"{alone[slowest]:.1f} ms, allowed {allowed:.1f} ms: "
        f"{'kept' if found['kept']['p50'] else 'NOT kept'}"
    )
    return found
