"""How long a runner's model takes for batches of growing size, on this machine, alone."""

from __future__ import annotations

import statistics
import time
from typing import Final

import numpy as np

from bentos.policy import Policy
from models import artifact
from models.image.recipe import SIDE
from models.inference.base import Scorer
from models.types import BaseName
from protocol.runners import RUNNER_OF

SIZES: Final = (1, 2, 4, 8, 16, 32)
REPEATS: Final = 7
LONGEST_SECONDS: Final = 4.0
"""Of one size; a slow machine is measured fewer times, at least twice."""


def measure(name: BaseName) -> tuple[str, dict[int, float]]:
    """Return the runtime's name and the median seconds of a batch by its size.

    The vertebrae runner is measured by ``bone``, whose network is the one that outlines.
    """
    policy = Policy.from_environment(RUNNER_OF[name])
    scorer = Scorer(artifact.load(name), policy.runtime, policy.precision)
    rng = np.random.default_rng(0)
    curve = {}
    for size in SIZES:
        images = rng.integers(0, 256, (size, SIDE, SIDE), dtype=np.uint8)
        scorer.score(images)  # engines compile once a shape
        seconds: list[float] = []
        while len(seconds) < REPEATS and (len(seconds) < 2 or sum(seconds) < LONGEST_SECONDS):
            begun = time.perf_counter()
            scorer.score(images)
            seconds.append(time.perf_counter() - begun)
        curve[size] = statistics.median(seconds)
    return scorer.runtime, curve
