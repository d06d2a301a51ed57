"""``make tune``: measure latency against batch size on this machine, choose, write both down.

Writes ``var/tuning.json``, which runners read when they start, and with ``--picture`` the curves.
Takes half a minute on two idle cores; measure on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from bentos.policy import TUNING
from loadtests.machine import here
from loadtests.tuning.curve import measure
from loadtests.tuning.picture import draw
from loadtests.tuning.policy import Curve, choose
from models.types import BASES
from protocol.runners import RUNNER_OF
from service.observability.slo import SLOS

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
        draw(curves, chosen, options.picture)
    for name, batching in chosen.items():
        each = ", ".join(f"{size}: {1000 * s / size:.1f}" for size, s in curves[name].items())
        print(
            f"{name:9} {batching.max_batch_size:3} images, {batching.max_latency_ms} ms;", end=" "
        )
        print(f"{runtimes[name]}, ms per image by batch size: {each}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
