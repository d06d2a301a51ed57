"""``python -m loadtests.benchmark``: every system in rounds, within the minutes given.

A step's length follows from the minutes, the rounds and the number of systems.
"""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, Final

from loadtests import machine
from loadtests.benchmark import reference, results, roofline
from loadtests.benchmark.clients import Answer
from loadtests.benchmark.reference import Expected, Images
from loadtests.benchmark.roofline import Roofline
from loadtests.benchmark.server import adopt_orphans, isolate
from loadtests.benchmark.systems import ROOFLINE, SYSTEMS, VAR, versions
from loadtests.benchmark.turn import ALONE, WARM_UP, turn
from models import artifact

MINUTES: Final = 50.0
OVERHEAD_SECONDS: Final = 60.0  # Of a turn, for starting, first answers, ending and the roofline
ROOFLINE_SECONDS: Final = 4.0
SHORTEST: Final = 5.0
LONGEST: Final = 30.0


def step_seconds(minutes: float, rounds: int, systems: int) -> float:
    """Return how long a step may be. Raises :class:`ValueError` where none would fit."""
    allowance = 60 * minutes / (rounds * max(systems, 1)) - OVERHEAD_SECONDS
    seconds = allowance / ((1 + ALONE) * (1 + WARM_UP))
    if seconds < SHORTEST:
        raise ValueError(
            f"{rounds} rounds of {systems} systems do not fit into {minutes:g} minutes; more "
            "minutes, fewer rounds or --only fewer systems do"
        )
    return min(seconds, LONGEST)


def main(arguments: Sequence[str] | None = None) -> int:
    given = sys.argv[1:] if arguments is None else list(arguments)
    parser = _parser()
    options = parser.parse_args(given)
    if options.page:
        results.write(options.out, results.read(options.out))
        return 0
    names = options.only or [ROOFLINE, *SYSTEMS]
    try:
        seconds = step_seconds(options.minutes, options.rounds, len(names))
    except ValueError as error:
        parser.error(str(error))
    if options.seconds is not None:
        seconds = min(seconds, options.seconds)
    isolate(given)
    adopt_orphans()
    # As Ctrl-C: what was started is ended.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    found: dict[str, Any] = {
        "command": shlex.join(["python", "-m", "loadtests.benchmark", *given]),
        "measured_on": f"{machine.now():%Y-%m-%d}",
        "machine": machine.here(),
        "artefacts": artifact.served(artifact.artifacts_folder()),
        "step_seconds": seconds,
        "rounds": 0,
        "systems": {name: {**_facts(name), "rounds": []} for name in names},
    }
    begun = time.monotonic()
    with Roofline() as bare:
        bench = Bench(bare, Images(), reference.expected(), seconds, begun + 60 * options.minutes)
        for number in range(options.rounds):
            # To and fro, so that what drifts favours none.
            bench.round(found["systems"], names if number % 2 == 0 else names[::-1])
            found["rounds"] = number + 1
            found["ratios"] = results.ratios(found["systems"])
            found["minutes"] = (time.monotonic() - begun) / 60
            # After every round: an hour's figures must not hang on the last one's.
            results.write(options.out, found)
            print(f"round {number + 1}, {found['minutes']:.1f} minutes")
            print("\n".join(results.table(found).text()), flush=True)
    return 0


@dataclass(frozen=True)
class Bench:
    """``seconds`` is the length of a step, ``until`` when the last turn may begin."""

    bare: Roofline
    images: Images
    expected: Expected
    seconds: float
    until: float

    def round(self, systems: dict[str, Any], names: Sequence[str]) -> None:
        """Add a round to each system, its share of what the bare runtime did around it."""
        measured = [self.bare.measure(ROOFLINE_SECONDS)]
        for name in names:
            if name == ROOFLINE:
                continue
            turned: dict[str, Any] = {"error": "no time was left"}
            if time.monotonic() <= self.until:
                turned = turn(SYSTEMS[name], self.images, self.expected, self.seconds)
            measured.append(self.bare.measure(ROOFLINE_SECONDS))
            speed = fmean(found["images_per_second"] for found in measured[-2:])
            if rate := turned.get("images_per_second"):
                turned["share"] = rate / speed
            systems[name]["rounds"].append(turned)
            print(f"  {name:18} {_line(turned)}", flush=True)
        if ROOFLINE in systems:
            answers = [Answer(*one) for one in measured[-1]["answers"]]
            bare = {
                "images_per_second": fmean(found["images_per_second"] for found in measured),
                "share": 1.0,
                "cpu_seconds_per_image": {ROOFLINE: measured[-1]["cpu_seconds_per_image"]},
                "checked": reference.checked(answers, self.expected),
            }
            systems[ROOFLINE]["rounds"].append(bare)


def _line(found: dict[str, Any]) -> str:
    if "error" in found:
        return f"failed: {found['error']}"
    checks = found["checked"]
    return (
        f"{found['images_per_second']:.2f}/s, {found.get('share', 0.0):.3f} of the roofline, "
        f"ready after {found['start_seconds']:.1f} s, {checks['answers']} answers checked: "
        f"{'right' if checks['holds'] else 'WRONG'}, off by {checks['largest']:.4f} at most"
        f"{', faults: ' + str(found['faults']) if found['faults'] else ''}"
    )


def _facts(name: str) -> dict[str, Any]:
    if name == ROOFLINE:
        title = "roofline: the bare runtime in a loop"
        return {"title": title, "versions": versions(roofline.PYTHON, ("openvino", "numpy"))}
    system = SYSTEMS[name]
    return {"title": system.title, "versions": versions(system.python, system.packages)}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m loadtests.benchmark", description=__doc__)
    names = (ROOFLINE, *SYSTEMS)

    def chosen(text: str) -> list[str]:
        if wrong := [name for name in text.split(",") if name not in names]:
            raise argparse.ArgumentTypeError(f"{wrong[0]}: allowed are {', '.join(names)}")
        return text.split(",")

    parser.add_argument("--only", type=chosen, metavar="NAME,…", help=", ".join(names))
    parser.add_argument("--rounds", type=int, default=3, help="(%(default)s)")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="at most (%(default)s)")
    parser.add_argument("--seconds", type=float, help="of a step; without: what the minutes allow")
    parser.add_argument("--page", action="store_true", help="write the page anew, measure nothing")
    parser.add_argument("--out", type=Path, default=VAR, help="folder of results (var/benchmark)")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
