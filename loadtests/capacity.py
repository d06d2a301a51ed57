"""How many replicas a number of scans a day takes: costs, the busiest hour, one formula.

A replica is one process on one core. Each component needs, with one to lose or roll over::

    replicas = ceil(peak × seconds / utilisation) + 1

with ``peak`` in images a second and ``seconds`` of a replica for one image, as ``measure`` found.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from loadtests import machine, mix
from loadtests.processes import ROOT
from loadtests.table import Table
from loadtests.target import COMPONENTS

UTILISATION: Final = 0.5
"""Of a replica at the peak: an hour's mean hides minutes that are twice as busy."""
PEAK: Final = 2.63
"""The busiest hour of a clinic's day over its mean hour: 11 % of the scans, an assumption."""
NETWORKS: Final = ("vertebrae", "cnn", "vgg16", "resnet")  # Components that can use a GPU
HOP_SECONDS: Final = 0.0023
"""Of a core, for one image's way into and out of a runner: measured on BentoML 1.4.39 with batches.
No GPU makes a network's replica faster than this."""
SCANS: Final = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
PAGE: Final = ROOT / "docs" / "capacity.md"
BEGIN: Final = "<!-- tables: written by python -m loadtests capacity --page -->"
END: Final = "<!-- /tables -->"


class CapacityError(ValueError):
    """The calculation cannot be made; the message says why."""


@dataclass(frozen=True)
class Capacity:
    """What ``peak`` images a second take: replicas by component, one of each to lose.

    ``response`` is the mean time in seconds of an image at the peak, with that one lost.
    """

    peak: float
    replicas: Mapping[str, int]
    response: float

    @property
    def cores(self) -> int:
        return sum(self.replicas.values())


def capacity(scans: int, seconds: Mapping[str, float], factor: float = PEAK) -> Capacity:
    """Return what ``scans`` a day take, at ``seconds`` of a replica for one image.

    Raises :class:`CapacityError`.
    """
    if scans < 1 or not 1 <= factor <= 24:
        raise CapacityError(
            f"{scans} scans a day, {factor:g} times as many in the busiest hour; at least 1 scan "
            "and 1 to 24 times can be"
        )
    if set(seconds) != set(COMPONENTS):
        raise CapacityError(f"costs are wanted of {', '.join(COMPONENTS)}; there are those of "
                            f"{', '.join(seconds) or 'none'}")  # fmt: skip
    for name, each in seconds.items():
        if not 0 < each < 60:
            raise CapacityError(f"{name} costs {each:g} s an image; above 0, below 60 can be")
    slo, alone = mix.OBJECTIVES["predict"], _path(seconds)
    if alone > slo.latency_seconds:
        raise CapacityError(
            f"an image takes {alone:.2f} s where nobody waits; no number of replicas answers "
            f"within {slo.latency_seconds:g} s. Give networks more cores or a GPU"
        )
    peak = scans / 86400 * factor
    working = {name: math.ceil(peak * each / UTILISATION) for name, each in seconds.items()}
    waited = {name: each + mean_wait(peak / working[name], each) for name, each in seconds.items()}
    return Capacity(peak, {name: count + 1 for name, count in working.items()}, _path(waited))


def mean_wait(rate: float, seconds: float, variation: float = 0.25) -> float:
    """Return the mean wait of one replica's queue, M/G/1 (Pollaczek 1930, Khinchine 1932).

    ``variation`` is the squared coefficient of variation of ``seconds``: formats differ in what
    reading takes. Replicas behind a Service have a queue each, chosen without a look at it.
    """
    busy = rate * seconds
    return busy / (1 - busy) * seconds * (1 + variation) / 2 if busy < 1 else math.inf


def _path(seconds: Mapping[str, float]) -> float:
    """Front, vertebrae, the slowest of those that are asked together, stack."""
    slowest = max(seconds[name] for name in NETWORKS if name != "vertebrae")
    return seconds["front"] + seconds["vertebrae"] + slowest + seconds["stack"]


def add_command(parser: argparse.ArgumentParser) -> None:
    argument = parser.add_argument
    argument("--scans-per-day", type=int, default=100_000)
    argument("--peak-factor", type=float, default=PEAK, help="busiest hour over the mean hour")
    seconds = "that one image keeps a replica busy, for example with a GPU; without: as measured"
    argument("--seconds", metavar="NAME=SECONDS", nargs="*", default=[], help=seconds)
    argument("--page", action="store_true", help="write the tables of docs/capacity.md")
    parser.set_defaults(call=run)


def run(options: argparse.Namespace) -> int:
    if options.page:
        PAGE.write_text(page(), "utf-8")
        print(PAGE)
        return 0
    seconds = {**machine.read().cpu_seconds_per_image, **_pairs(options.seconds)}
    found = capacity(options.scans_per_day, seconds, options.peak_factor)
    rows = [(name, f"{1000 * seconds[name]:.1f}", f"{n}") for name, n in found.replicas.items()]
    print(f"{found.peak:.2f} images a second in the busiest hour")
    print("\n".join(Table(("component", "ms an image", "replicas"), rows).text()))
    print(f"{found.cores} cores; an image takes {1000 * found.response:.0f} ms on average then")
    return 0


def page(path: Path = PAGE) -> str:
    """Return the page as it should be."""
    before, rest = path.read_text("utf-8").split(BEGIN)
    tables = "\n".join(_tables())
    return f"{before}{BEGIN}\n{tables}{END}{rest.split(END)[1]}"


def _tables() -> Iterator[str]:
    found = machine.read()
    costs = found.cpu_seconds_per_image
    cores = f"{found.machine['cpus']} cores of {found.machine['processor']}"
    yield f"Measured on {found.measured_on}; {cores}:\n"
    each = ("core, ms an image", *(f"{1000 * costs[name]:.1f}" for name in COMPONENTS))
    yield Table(("", *COMPONENTS), [each]).markdown()
    yield _replicas(costs)
    yield f"With a GPU, or a slice of one, a network, at {1000 * HOP_SECONDS:g} ms an image:\n"
    yield _replicas({**costs, **dict.fromkeys(NETWORKS, HOP_SECONDS)})


def _replicas(costs: Mapping[str, float]) -> str:
    found = {scans: capacity(scans, costs) for scans in SCANS}
    rows = [
        (
            f"{scans:,}",
            f"{one.peak:.2f}",
            *(f"{one.replicas[name]}" for name in COMPONENTS),
            f"{one.cores}",
            f"{1000 * one.response:.0f}",
        )
        for scans, one in found.items()
    ]
    head = ("scans a day", "images/s at peak", *COMPONENTS, "cores", "ms an image at peak")
    return Table(head, rows).markdown()


def _pairs(texts: list[str]) -> Mapping[str, float]:
    pairs = {}
    for text in texts:
        name, _, seconds = text.partition("=")
        try:
            pairs[name] = float(seconds)
        except ValueError:
            raise CapacityError(f"{text!r} is not NAME=SECONDS") from None
    return pairs
