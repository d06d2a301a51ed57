"""``make tune``: measure latency against batch size on this machine, choose, write both down.

Writes ``var/tuning.json``, which runners read. Takes half a minute on two idle cores.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from bentos.policy import TUNING, Policy
from loadtests.machine import here
from loadtests.tuning.policy import Batching, Curve, choose
from models import artifact
from models.image.recipe import SIDE
from models.inference.base import Scorer
from models.types import BASES, BaseName
from protocol.runners import RUNNER_OF
from service.observability.slo import SLOS

SIZES: Final = (1, 2, 4, 8, 16, 32)
REPEATS: Final = 7
LONGEST_SECONDS: Final = 4.0  # Of one size; a slow machine is measured fewer times, at least twice
OBJECTIVE: Final = next(slo.latency_seconds for slo in SLOS if slo.name == "predict")
"""Seconds that a prediction is promised within: the one home of that figure is the table."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m loadtests.tuning", description=__doc__)
    parser.add_argument("--out", type=Path, default=TUNING, help="what runners read (%(default)s)")
    parser.add_argument("--picture", type=Path, help="where the curves are drawn, as SVG")
    options = parser.parse_args(arguments)
    curves: dict[str, Curve] = {}
    runtimes: dict[str, str] = {}
    for base in BASES:
        runner = RUNNER_OF[base]
        runtimes[runner], curves[runner] = measure(base)
    chosen = choose(curves, OBJECTIVE)
    document = {
        "machine": here(),
        "objective_ms": round(1000 * OBJECTIVE),
        "runners": {
            name: {
                **asdict(batching),
                "runtime": runtimes[name],
                "curve_ms": {size: round(1000 * s, 2) for size, s in curves[name].items()},
            }
            for name, batching in chosen.items()
        },
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    if options.picture is not None:
        _draw(curves, chosen, options.picture)
    for name, batching in chosen.items():
        each = ", ".join(f"{size}: {1000 * s / size:.1f}" for size, s in curves[name].items())
        chose = f"{batching.max_batch_size:3} images, {batching.max_latency_ms} ms"
        print(f"{name:9} {chose}; {runtimes[name]}, ms per image by batch size: {each}")
    return 0


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


def _draw(curves: Mapping[str, Curve], chosen: Mapping[str, Batching], path: Path) -> None:
    """Write the time of an image and of a batch over its size, and what was chosen, as SVG."""
    # Text stays text, and the same curves give the same bytes.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "tuning", "axes.grid": True}):
        figure = Figure(figsize=(9, 3.6), layout="constrained")
        each, whole = figure.subplots(1, 2)
        for name, curve in curves.items():
            sizes, size = sorted(curve), chosen[name].max_batch_size
            for axes, milliseconds in (
                (each, {n: 1000 * seconds / n for n, seconds in curve.items()}),
                (whole, {n: 1000 * seconds for n, seconds in curve.items()}),
            ):
                times = [milliseconds[n] for n in sizes]
                (line,) = axes.plot(sizes, times, ".-", label=f"{name}, {size}")
                axes.plot([size], [milliseconds[size]], "o", color=line.get_color())
        for axes, label in ((each, "ms per image"), (whole, "ms per batch")):
            axes.set(yscale="log", xlabel="images in a batch", ylabel=label)
            axes.set_xscale("log", base=2)
        each.legend(title="runner, chosen size")
        figure.savefig(path, format="svg", metadata={"Date": None})


if __name__ == "__main__":
    raise SystemExit(main())
