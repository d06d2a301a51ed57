"""What every mode needs: the load's process, the reference, and how long to measure."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from loadtests.benchmark.answers import Checked, Expected
from loadtests.benchmark.arrivals import Arrivals
from loadtests.benchmark.contender import ROOT, Contender
from loadtests.benchmark.load import Load
from loadtests.benchmark.measurement import Bench
from loadtests.benchmark.pace import Pace
from loadtests.benchmark.server import Server


@dataclass(frozen=True)
class Run:
    """``seconds`` is the length of one step; ``rounds`` how often a search is repeated.

    ``quick`` leaves out what takes minutes.
    """

    load: Load
    pace: Pace
    expected: Mapping[int, Expected]
    arrivals: Arrivals
    seconds: float
    rounds: int
    quick: bool

    @contextmanager
    def on(self, contender: Contender) -> Iterator[tuple[Server, Bench]]:
        """Start ``contender`` afresh, with nothing in any cache, and see that it is right."""
        with Server(contender) as server:
            bench = Bench(server, self.load, self.expected, self.arrivals, self.seconds, self.pace)
            bench.verify()
            yield server, bench

    def limit(self) -> dict[str, Any]:
        """Return what ``limit`` says, run in the runners' environment, its answers checked."""
        said = _limit(self.seconds)
        checked = Checked()
        for answers in (said["networks"].pop("answers"), said["whole"].pop("answers")):
            for number, (probability, outcome) in zip(said["numbers"], answers, strict=True):
                checked.hold(number, probability, outcome, self.expected)
        return said | {"checked": checked.record()}

    def alone(self) -> dict[str, float]:
        """Return base model → milliseconds that it takes for one image, with nothing around it."""
        found: dict[str, float] = _limit(0.0)["one_ms"]
        return found


def _limit(seconds: float) -> dict[str, Any]:
    done = subprocess.run(  # noqa: S603 - our own module
        [".venv/runners/bin/python", "-m", "loadtests.benchmark.limit", str(seconds)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def say(line: str) -> None:
    print(line, flush=True)
