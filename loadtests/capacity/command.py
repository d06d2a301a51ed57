"""``python -m loadtests capacity``."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from loadtests.capacity import costs, page
from loadtests.capacity.costs import CapacityError, Costs
from loadtests.capacity.day import clinic
from loadtests.capacity.simulation import simulate
from loadtests.capacity.sizing import CLUSTER_SCANS, SPARE, Balance, Sizing, size
from loadtests.front import COMPONENTS


def add_command(commands: argparse._SubParsersAction[Any]) -> None:
    command = commands.add_parser(
        "capacity", help="how many replicas, cores and GPUs a number of scans a day takes"
    )
    command.add_argument("--scans-per-day", type=int, default=100_000)
    command.add_argument("--peak-factor", type=float, help="busiest hour over the day's mean hour")
    command.add_argument("--scans-per-cluster", type=int, default=CLUSTER_SCANS)
    command.add_argument(
        "--balance",
        choices=[one.value for one in Balance],
        default=Balance.RANDOM.value,
        help="how replicas are chosen: at random, as Services do, or from one shared queue",
    )
    command.add_argument(
        "--cpu-seconds",
        metavar="NAME=SECONDS",
        nargs="*",
        default=[],
        help=f"of one image, instead of the benchmark's: {', '.join(COMPONENTS)}",
    )
    command.add_argument(
        "--gpu-seconds",
        metavar="NAME=SECONDS",
        nargs="*",
        default=[],
        help="of one image on a GPU, hop included; components that are not named use none",
    )
    command.add_argument("--simulate", action="store_true", help="check it, scan by scan")
    command.add_argument(
        "--page", action="store_true", help="write docs/capacity.md and its picture; minutes"
    )
    command.set_defaults(call=run)


def run(options: argparse.Namespace) -> int:
    if options.page:
        for path in page.write():
            print(path)
        return 0
    found = costs.read()
    source = found.source + (", and as given" if options.cpu_seconds else "")
    found = Costs({**found.cpu, **_pairs(options.cpu_seconds)}, _pairs(options.gpu_seconds), source)
    sizing = size(
        options.scans_per_day,
        found,
        clinic(options.peak_factor),
        balance=Balance(options.balance),
        cluster_scans=options.scans_per_cluster,
    )
    print(_told(sizing, found))
    if options.simulate:
        done = simulate(sizing)
        print(
            f"simulated: {done.scans} scans, {done.at_peak} of them in the busiest hour: half "
            f"within {done.p50:.3f} s, 99 % within {done.p99:.3f} s; in time were "
            f"{done.fast * 100:.3f} %"
        )
    return 0


def _told(sizing: Sizing, found: Costs) -> str:
    lines = [
        f"{sizing.scans} scans a day: {sizing.clusters} clusters, each {sizing.rate:.2f} images a "
        f"second at its peak ({sizing.day.peak:.2f} times its mean); costs: {found.source}",
        "component  s/image  replicas a cluster  busy at peak  waits too long",
        *(
            f"{name:9}  {one.seconds:7.4f}  {one.replicas:18d}  {one.utilisation * 100:10.1f} %  "
            f"{one.slow * 100:12.4f} %"
            for name, one in sizing.stations.items()
        ),
        f"in all: {sizing.replicas} replicas, {sizing.cores} cores, {sizing.gpus} GPUs or slices; "
        f"{SPARE} replica of each component and cluster is spare",
    ]
    return "\n".join(lines)


def _pairs(texts: list[str]) -> Mapping[str, float]:
    pairs = {}
    for text in texts:
        name, _, seconds = text.partition("=")
        try:
            pairs[name] = float(seconds)
        except ValueError:
            raise CapacityError(f"{text!r} is not NAME=SECONDS") from None
    return pairs
