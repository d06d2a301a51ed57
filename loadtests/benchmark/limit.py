"""The machine's own limit: the bare runtime in a loop, in one process, no server and no HTTP.

``python -m loadtests.benchmark.limit [SECONDS]`` runs in the runners' environment and prints JSON,
with 0 seconds of ``one_ms`` alone. Given ``pace`` instead, it answers every line of its input with
``images_per_second`` of two blocks, see :mod:`~loadtests.benchmark.pace`.

==================  ==============================================================================
``one_ms``          base model → median milliseconds of one canonical image alone
``batch``           base model → images at once that take the least time an image
``networks``        canonical images in, the stack's verdicts out: the base models one after
                    another, each in its best batch. This is what the ratio ``limit`` is about
``whole``           the same from PNG files: reading, vertebrae, gate and recipe besides; what is no
                    network's in two threads
==================  ==============================================================================

The last two hold ``images_per_second``, ``cpu_seconds_per_image`` and ``answers``, a probability
and an outcome for each of ``numbers``, which are held against the reference like any contender's.
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from loadtests.benchmark.images import Images, canonical
from loadtests.benchmark.reference import NUMBERS
from models.gate import Gate, quality
from models.image import recipe
from models.image.scan import Scan
from models.inference.decision import Decision, decide
from models.inference.ensemble import Ensemble
from models.reading import read
from models.runtime import usable_cpus
from models.types import BaseName
from models.vertebrae.geometry import Outlined

SIZES: Final = (1, 2, 4, 8, 16, 32)
Answer = tuple[float, Decision]

BLOCK: Final = SIZES[-1]

PACE_SECONDS: Final = 0.4
"""For each size of batch, before the pace is asked for the first time."""

PACE_BLOCKS: Final = 2
"""Blocks that tell the pace: on a virtual machine one differs from the next by 7 %."""

OUTLINED: Final = 8
"""Frames at once, as the runner takes them."""

ALONE: Final = 40
"""Images whose time alone is taken."""


def main(arguments: Sequence[str]) -> None:
    begun = time.perf_counter()
    ensemble, gate = Ensemble(), quality.served_gate()
    start_seconds = time.perf_counter() - begun
    numbers = NUMBERS[:BLOCK]
    files = Images().many(numbers)
    images = np.stack([canonical(file, ensemble.outliner.outline) for file in files])
    if arguments == ["pace"]:
        pace(ensemble, images)
        return
    seconds = float(arguments[0]) if arguments else 10.0
    alone = {name: one(ensemble, name, images) for name in ensemble.scorers}
    if not seconds:
        print(json.dumps({"one_ms": alone}))
        return
    batch = best_batches(ensemble, images, seconds / 20)

    def networks() -> list[Answer]:
        return judge(ensemble, images, batch)

    with ThreadPoolExecutor(usable_cpus()) as threads:

        def whole() -> list[Answer]:
            scans = list(threads.map(read, files))
            frames = np.stack(list(threads.map(recipe.frame, scans)))
            found = [
                one
                for start in range(0, len(frames), OUTLINED)
                for one in ensemble.outliner.outline(frames[start : start + OUTLINED])
            ]
            ready = list(threads.map(partial(prepared, gate), scans, frames, found))
            return judge(ensemble, np.stack(ready), batch)

        said = {
            "start_seconds": start_seconds,
            "runtimes": {name: scorer.runtime for name, scorer in ensemble.scorers.items()},
            "numbers": numbers,
            "one_ms": alone,
            "batch": batch,
            "networks": loop(networks, seconds),
            "whole": loop(whole, seconds),
            # Kilobytes on Linux; one process, so its own is all there is.
            "peak_memory_bytes": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        }
    print(json.dumps(said))


def one(ensemble: Ensemble, name: BaseName, images: NDArray[np.uint8]) -> float:
    """Return the median milliseconds of one image alone."""
    scorer, taken = ensemble.scorers[name], []
    for turn in range(ALONE):
        begun = time.perf_counter()
        scorer.score(images[turn % BLOCK][None])
        taken.append(1000 * (time.perf_counter() - begun))
    # The first few pay for what an engine does once.
    return statistics.median(taken[ALONE // 4 :])


def pace(ensemble: Ensemble, images: NDArray[np.uint8]) -> None:
    """Say how fast ``images`` are judged, once for every line of the standard input."""
    batch = best_batches(ensemble, images, PACE_SECONDS)
    for _ in sys.stdin:
        begun = time.perf_counter()
        for _ in range(PACE_BLOCKS):
            judge(ensemble, images, batch)
        rate = PACE_BLOCKS * len(images) / (time.perf_counter() - begun)
        print(json.dumps({"images_per_second": rate}), flush=True)


def best_batches(
    ensemble: Ensemble, images: NDArray[np.uint8], seconds: float
) -> dict[BaseName, int]:
    """Return base model → its best batch, ``seconds`` for each size tried."""
    return {name: best(ensemble, name, images, seconds) for name in ensemble.scorers}


def best(ensemble: Ensemble, name: BaseName, images: NDArray[np.uint8], seconds: float) -> int:
    """Return how many images at once take the least time an image."""
    scorer, cost = ensemble.scorers[name], {}
    for size in SIZES:
        scorer.score(images[:size])
        count, begun = 0, time.perf_counter()
        while (spent := time.perf_counter() - begun) < seconds:
            scorer.score(images[:size])
            count += size
        cost[size] = spent / count
    return min(cost, key=lambda size: cost[size])


def judge(
    ensemble: Ensemble, images: NDArray[np.uint8], batch: dict[BaseName, int]
) -> list[Answer]:
    """Return the stack's word on each of ``images``."""
    votes = {
        name: [
            vote
            for start in range(0, len(images), batch[name])
            for vote in scorer.score(images[start : start + batch[name]])
        ]
        for name, scorer in ensemble.scorers.items()
    }
    return [
        (verdict.probability, decide(verdict.probability, verdict.threshold, verdict.band))
        for verdict in ensemble.combine(votes)
    ]


def prepared(gate: Gate, scan: Scan, framed: recipe.Canonical, found: Outlined) -> recipe.Canonical:
    cleaned = recipe.cleaned(framed, found.graphics)
    if found.spine is None or not quality.assess(scan, cleaned, gate).accepted:
        raise ValueError("an image of the benchmark was refused")
    return recipe.prepare(scan, found.spine, found.graphics)


def loop(work: Callable[[], list[Answer]], seconds: float) -> dict[str, Any]:
    """Do ``work`` on a block again and again for ``seconds``; once before, which is not counted."""
    work()
    count, cpu, begun = 0, time.process_time(), time.perf_counter()
    while (spent := time.perf_counter() - begun) < seconds:
        answers = work()
        count += len(answers)
    return {
        "images_per_second": count / spent,
        "cpu_seconds_per_image": (time.process_time() - cpu) / count,
        "answers": answers,
    }


if __name__ == "__main__":
    main(sys.argv[1:])
