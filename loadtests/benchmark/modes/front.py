"""What the front itself costs a request, beyond the runners, and what the whole stack occupies."""

from __future__ import annotations

from typing import Any, Final

from loadtests.benchmark.contenders import OSTEOSERVE
from loadtests.benchmark.generator import Plan
from loadtests.benchmark.modes.run import Run, say

REQUESTS: Final = 300
CLIENTS: Final = 4
ALLOWED_MS: Final = 4.0
ALLOWED_MEMORY_BYTES: Final = 2_500_000_000
OWN: Final = ("front", "supervisor")
"""Components that are no runner."""


def front(run: Run) -> dict[str, Any]:
    """Return CPU milliseconds a request of every component, and the peak memory of all."""
    with run.on(OSTEOSERVE) as (server, bench):
        bench.send(Plan(server.url, bench.take(REQUESTS), clients=CLIENTS))
        cpu_ms = {name: 1000 * spent / REQUESTS for name, spent in bench.cost.items()}
        memory = server.memory.peak
        checked = bench.checked.record()
    own = sum(cpu_ms.get(name, 0.0) for name in OWN)
    say(
        f"front {own:.1f} CPU ms a request of {sum(cpu_ms.values()):.1f} in all, "
        f"{memory / 1e9:.2f} GB at most"
    )
    return {
        "cpu_ms": own,
        "components_cpu_ms": cpu_ms,
        "allowed_ms": ALLOWED_MS,
        "peak_memory_mb": memory / 1e6,
        "kept": {"cpu": own <= ALLOWED_MS, "memory": memory < ALLOWED_MEMORY_BYTES},
        "checked": checked,
    }
