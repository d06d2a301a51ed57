"""From how long batches take to how large they may be. Knows no model and no clock.

An image waits for the batch that is computed and is in the next: two, summed over the runners that
share a machine. Half of the objective is left to reading, the stack, storage and the way::

    2 · Σ_runners seconds(size)  ≤  ½ · objective

Nor is a batch larger where the time per image does not fall by :data:`WORTHWHILE` or more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

SHARE: Final = 0.5  # Of the objective, for two batches of every runner
WORTHWHILE: Final = 0.03
SMALLEST: Final = 2  # BentoML's adaptive batching needs room for two
Curve = Mapping[int, float]  # Seconds that one batch takes, by its size in images


@dataclass(frozen=True)
class Batching:
    """What :class:`bentos.policy.Policy` takes of it."""

    max_batch_size: int
    max_latency_ms: int


def choose(curves: Mapping[str, Curve], objective_seconds: float) -> dict[str, Batching]:
    """Return the batching of each runner. ``curves`` have the same sizes, 1 among them.

    The longest wait is the objective; on a machine too slow for it, four batches of all runners.
    """
    sizes = sorted(next(iter(curves.values())))
    together = {size: sum(curve[size] for curve in curves.values()) for size in sizes}
    in_time = [size for size in sizes if 2 * together[size] <= SHARE * objective_seconds]
    largest = max(SMALLEST, max(in_time, default=SMALLEST))
    return {
        name: Batching(
            size := min(largest, _worthwhile(curve)),
            round(1000 * max(objective_seconds, 4 * together[size])),
        )
        for name, curve in curves.items()
    }


def _worthwhile(curve: Curve) -> int:
    """Return the smallest size beyond which no larger one is worth its latency."""
    sizes = [size for size in sorted(curve) if size >= SMALLEST]
    best = sizes[0]
    for size in sizes[1:]:
        if curve[size] / size <= (1 - WORTHWHILE) * curve[best] / best:
            best = size
    return best
