"""Percentiles of latencies."""

from __future__ import annotations

import math
from collections.abc import Sequence


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest of ``values`` that at least ``share`` (0…1) of them do not exceed.

    Nearest rank, so that what is said is something that somebody waited. Raises ValueError for
    none.
    """
    if not values:
        raise ValueError("no values have no percentile")
    rank = max(1, math.ceil(share * len(values) - 1e-9))
    return sorted(values)[rank - 1]
