"""Twice what it can do, for a minute: what is refused, how long anybody waits, what is left."""

from __future__ import annotations

import statistics
from typing import Any, Final

from loadtests.benchmark.answers import ANSWERED, REFUSED
from loadtests.benchmark.contenders import OSTEOSERVE
from loadtests.benchmark.modes.run import Run, say
from loadtests.benchmark.modes.throughput import SHY
from loadtests.benchmark.percentiles import percentile
from loadtests.benchmark.search import search
from service.settings import load

TIMES: Final = 2.0
SECONDS: Final = 60.0
QUICK_SECONDS: Final = 15.0

GOODPUT: Final = 0.9
"""Share of the capacity that must still be answered."""

GROWTH: Final = 1.05
"""Memory of the last third over that of the first, at most."""


def overload(run: Run) -> dict[str, Any]:
    """Return what came of every request, and which of the four promises were kept.

    Capacity is found first, on the same server: the throughput that keeps the p99. A request's
    wait counts from when it was due; whole answers alone are goodput.
    """
    seconds = QUICK_SECONDS if run.quick else SECONDS
    deadline = load().deadline_seconds
    with run.on(OSTEOSERVE) as (server, bench):
        guess = SHY * bench.capacity()
        capacity = search(lambda rate: bench.step(rate).holds, guess).best or guess
        seen = len(server.memory.seen)
        plan = bench.plan(TIMES * capacity, int(TIMES * capacity * seconds))
        sent = bench.send(plan)
        memory = server.memory.seen[seen:]
        checked = bench.checked.record()
    samples = sent.samples
    answered = [one for one in samples if one.status in ANSWERED and one.whole]
    shed = [one for one in samples if one.status in REFUSED]
    degraded = sum(one.status in ANSWERED and not one.whole for one in samples)
    third = max(1, len(memory) // 3)
    growth = statistics.median(memory[-third:]) / statistics.median(memory[:third])
    longest = max(one.latency for one in samples)
    goodput = sum(one.latency <= deadline for one in answered) / seconds
    found = {
        "capacity": capacity,
        "offered": TIMES * capacity,
        "seconds": seconds,
        "requests": len(samples),
        "answered": len(answered),
        "degraded": degraded,
        "shed": len(shed),
        "other": len(samples) - len(answered) - degraded - len(shed),
        "without_retry_after": sum(not one.retry_after for one in shed),
        "goodput": goodput,
        "deadline_seconds": deadline,
        "longest_seconds": longest,
        "p99_answered_ms": 1000 * percentile([s.latency for s in answered], 0.99)
        if answered
        else None,
        "p99_shed_ms": 1000 * percentile([s.latency for s in shed], 0.99) if shed else None,
        "memory_growth": growth,
        "checked": checked,
    }
    kept = {
        "deadline": longest <= deadline,
        "goodput": goodput >= GOODPUT * capacity,
        "refusals": not found["without_retry_after"] and not found["other"],
        "memory": growth <= GROWTH,
    }
    said = ", ".join(f"{name} {'kept' if one else 'NOT kept'}" for name, one in kept.items())
    say(
        f"twice {capacity:.1f}/s for {seconds:.0f} s: {len(answered)} answered "
        f"({goodput:.1f}/s), {len(shed)} shed, {degraded} degraded, {found['other']} other, "
        f"longest {longest:.1f} s; {said}"
    )
    return found | {"kept": kept}
