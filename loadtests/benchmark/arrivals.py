"""When requests are due, in seconds from the start of a step."""

from __future__ import annotations

from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

Arrivals = Literal["poisson", "constant"]
ARRIVALS: Final[tuple[Arrivals, ...]] = get_args(Arrivals)

SEED: Final = 5


def due(kind: Arrivals, count: int, rate: float) -> NDArray[np.float64]:
    """Return (count,) ascending seconds at ``rate`` a second.

    ``poisson`` is a Poisson process given that ``count`` arrive in ``count / rate`` seconds: what
    many people who know nothing of one another do. It is the same one, stretched, for every
    contender and rate, so that none is luckier.
    """
    if count < 1 or rate <= 0:
        raise ValueError(f"{count} arrivals at {rate} a second: both must be positive")
    if kind == "constant":
        return np.arange(count) / rate
    places = np.random.default_rng(SEED).random(count)
    return np.sort(places) * (count / rate)
