"""``python -m loadtests.benchmark``: one mode, or ``all`` of them, which is ``make bench``.

One mode alone stands beside what others found in the same folder, if machine and artefacts are the
same.
"""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from loadtests.benchmark import documents, isolation, machine, reference, results
from loadtests.benchmark.arrivals import ARRIVALS
from loadtests.benchmark.contender import VAR
from loadtests.benchmark.contenders import CONTENDERS, LIMIT, NAMES
from loadtests.benchmark.load import Load
from loadtests.benchmark.measurement import P99_SECONDS
from loadtests.benchmark.modes.front import front
from loadtests.benchmark.modes.linear import linear
from loadtests.benchmark.modes.one import one
from loadtests.benchmark.modes.overload import overload
from loadtests.benchmark.modes.run import Run, say
from loadtests.benchmark.modes.throughput import throughput
from loadtests.benchmark.pace import Pace
from loadtests.benchmark.server import ServerError
from loadtests.benchmark.tree import adopt_orphans

MODES: Final[dict[str, Callable[[Run], Any]]] = {
    "one": one,
    "front": front,
    "overload": overload,
    "linear": linear,
}

QUICK_SECONDS: Final = 5.0


def main(arguments: Sequence[str] | None = None) -> int:
    given = sys.argv[1:] if arguments is None else list(arguments)
    options = _parser().parse_args(given)
    if options.mode == "table":
        documents.write(options.out, results.read(options.out))
        return 0
    isolation.enter(given)
    names = options.only or list(NAMES)
    rounds, seconds = options.rounds, options.seconds
    if options.quick:
        rounds, seconds = 1, QUICK_SECONDS
    adopt_orphans()
    # As Ctrl-C: what was started is ended.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    begun, failed = time.monotonic(), list[str]()
    found: dict[str, Any] = {
        "command": shlex.join(["python", "-m", "loadtests.benchmark", *given]),
        "machine": machine.machine(),
        "artefacts": machine.artefacts(),
        "load": {
            "arrivals": options.arrivals,
            "p99_seconds": P99_SECONDS,
            "step_seconds": seconds,
        },
    }
    earlier = {} if options.mode == "all" else results.beside(options.out, options.mode, found)
    spent = earlier.get("minutes", 0.0)
    found |= earlier
    expected = reference.expected()

    def keep() -> None:
        # After every round and mode: an hour's figures must not hang on the last one's.
        found["minutes"] = spent + (time.monotonic() - begun) / 60
        results.write(options.out, found)
        documents.write(options.out, results.read(options.out))

    with Load() as load, Pace() as pace:
        run = Run(load, pace, expected, options.arrivals, seconds, rounds, options.quick)
        for name, mode in MODES.items():
            if options.mode not in (name, "all"):
                continue
            try:
                found[name] = mode(run)
            except ServerError as error:
                say(f"{name}: {error}")
                failed.append(name)
            keep()
        if options.mode in ("throughput", "all"):
            for done, figures in enumerate(throughput(run, names), 1):
                found["load"]["rounds"] = done
                found["contenders"] = {name: _told(name) | one for name, one in figures.items()}
                found["ratios"] = results.ratios(figures)
                found["against"] = results.best(figures)
                for ratio, value in found["ratios"].items():
                    say(f"{value:7.2f} × {ratio} ({found['against'][ratio]})")
                keep()
    say(f"written to {options.out / results.FILE} after {found['minutes']:.1f} minutes")
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m loadtests.benchmark", description=__doc__)
    parser.add_argument(
        "mode",
        choices=("throughput", *MODES, "all", "table"),
        help="what to measure; table writes page and pictures anew from what is there",
    )
    parser.add_argument(
        "--only", type=_names, metavar="NAME,…", help=f"contenders: {', '.join(NAMES)}"
    )
    parser.add_argument("--rounds", type=int, default=1, help="of each search (%(default)s)")
    parser.add_argument(
        "--seconds", type=float, default=6.0, help="length of one step (%(default)s)"
    )
    parser.add_argument("--quick", action="store_true", help="one round, short steps: a rough look")
    parser.add_argument("--arrivals", choices=ARRIVALS, default="poisson", help="(%(default)s)")
    parser.add_argument(
        "--out", type=Path, default=VAR, help="folder of results.json (var/benchmark)"
    )
    return parser


def _names(text: str) -> list[str]:
    names = text.split(",")
    for name in names:
        if name not in NAMES:
            raise argparse.ArgumentTypeError(f"{name}: allowed are {', '.join(NAMES)}")
    return names


def _told(name: str) -> dict[str, Any]:
    """Return what a contender is, besides what was measured."""
    if name == LIMIT:
        return {
            "title": "limit: the bare runtime in a loop",
            "command": [".venv/runners/bin/python -m loadtests.benchmark.limit"],
            "versions": machine.limit_versions(),
        }
    contender = CONTENDERS[name]
    return {
        "title": contender.title,
        "group": contender.group,
        "engine": contender.engine,
        "topology": contender.topology,
        "command": [
            shlex.join([f".venv/{contender.venv}/bin/python", *command.arguments])
            for command in contender.commands
        ],
        "versions": machine.versions(contender),
    }


if __name__ == "__main__":
    raise SystemExit(main())
