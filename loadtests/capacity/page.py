"""docs/capacity.md's tables, made from sizing and simulation, and its picture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from loadtests.capacity import costs, queueing
from loadtests.capacity.costs import BASES, COMPONENTS, Costs
from loadtests.capacity.day import clinic
from loadtests.capacity.simulation import simulate, wait
from loadtests.capacity.sizing import Balance, Sizing, size
from loadtests.front import ROOT

PAGE: Final = ROOT / "docs" / "capacity.md"
PICTURE: Final = ROOT / "docs" / "capacity.svg"
BEGIN: Final = "<!-- tables: written by python -m loadtests capacity --page -->"
END: Final = "<!-- /tables -->"

SCANS: Final = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)

HOP_SECONDS: Final = 0.0023
"""Of a core, for one image's way into and out of a runner: measured on BentoML 1.4.39 with batches,
a 44 kB PNG and two cores. No GPU makes a network's replica faster than this."""


def written() -> dict[Path, str]:
    """Return the page as it should be, simulated anew; some ten seconds."""
    before, rest = PAGE.read_text("utf-8").split(BEGIN)
    after = rest.split(END)[1]
    tables = "\n".join(_tables())
    return {PAGE: f"{before}{BEGIN}\n{tables}\n{END}{after}"}


def write() -> list[Path]:
    """Write page and picture; return where they lie."""
    for path, text in written().items():
        path.write_text(text, "utf-8")
    _draw()
    return [PAGE, PICTURE]


def with_gpu(found: Costs) -> Costs:
    """Return ``found`` with a GPU for each network, as the benchmark has it or else at its best."""
    measured = costs.benchmark_gpu()
    return Costs(found.cpu, {name: measured.get(name, HOP_SECONDS) for name in BASES}, found.source)


def _tables() -> Iterator[str]:
    found = costs.read()
    day = clinic()
    yield f"Costs: {found.source}. Busiest hour: {day.peak:.2f} times the mean."
    yield ""
    yield "| | " + " | ".join(COMPONENTS) + " |"
    yield "|---|" + "---:|" * len(COMPONENTS)
    cells = (f"{found.cpu[name] * 1000:.1f}" for name in COMPONENTS)
    yield "| core, ms an image | " + " | ".join(cells) + " |"
    yield ""
    yield (
        "| scans a day | clusters | images/s at peak, each | "
        + " | ".join(COMPONENTS)
        + " | cores in all | simulated: median | 99 % | within 1 s |"
    )
    yield "|---:|---:|---:|" + "---:|" * len(COMPONENTS) + "---:|---:|---:|---:|"
    for scans in SCANS:
        yield _row(size(scans, found, day), simulated=True)
    yield ""
    gpu = with_gpu(found)
    what = "as benchmarked" if costs.benchmark_gpu() else f"at {HOP_SECONDS * 1000:g} ms an image"
    yield f"With a GPU, or a slice of one, for each network's replica, {what}:"
    yield ""
    yield (
        "| scans a day | clusters | images/s at peak, each | "
        + " | ".join(COMPONENTS)
        + " | cores in all | GPUs or slices |"
    )
    yield "|---:|---:|---:|" + "---:|" * len(COMPONENTS) + "---:|---:|"
    for scans in SCANS:
        yield _row(size(scans, gpu, day), simulated=False)


def _row(sizing: Sizing, *, simulated: bool) -> str:
    cells = [
        f"{sizing.scans:,}",
        f"{sizing.clusters}",
        f"{sizing.rate:.2f}",
        *(f"{one.replicas}" for one in sizing.stations.values()),
        f"{sizing.cores}",
    ]
    if simulated:
        found = simulate(sizing)
        cells += [
            f"{found.p50 * 1000:.0f} ms",
            f"{found.p99 * 1000:.0f} ms",
            f"{found.fast * 100:.2f} %",
        ]
    else:
        cells.append(f"{sizing.gpus}")
    return "| " + " | ".join(cells) + " |"


def _draw() -> None:
    # The development environment has it; the image for load tests does not.
    import matplotlib as mpl  # noqa: PLC0415

    mpl.use("svg")
    from matplotlib import pyplot  # noqa: PLC0415

    mpl.rcParams["svg.hashsalt"] = "osteoserve"
    found, day = costs.read(), clinic()
    seconds, servers, rng = found.seconds("vgg16"), 4, np.random.default_rng(7)
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    busy = np.linspace(0.3, 0.95, 27)
    limit = size(SCANS[-1], found, day).wait
    for balance, colour in ((Balance.RANDOM, "#b2182b"), (Balance.SHARED, "#2166ac")):
        pooled = balance is Balance.SHARED
        name = "one queue" if pooled else "a queue each"
        count = servers if pooled else 1
        means = [queueing.mean_wait(count, part * count, seconds, 0.0) for part in busy]
        left.plot(busy, np.array(means) * 1000, color=colour, label=f"{name}, formula")
        some = busy[::2]
        simulated = [_mean(part, seconds, servers, balance, rng) * 1000 for part in some]
        left.plot(some, simulated, "o", color=colour, label=f"{name}, simulated")
    left.axhline(limit * 1000, color="grey", linestyle=":", label="what one wait may take")
    left.set(
        xlabel=f"utilisation of {servers} vgg16 replicas",
        ylabel="mean wait, ms",
        yscale="log",
    )
    left.legend(frameon=False, fontsize=8)
    scans = np.unique(np.geomspace(1_000, 10_000_000, 120).astype(int))
    for one, label in ((found, "CPUs alone"), (with_gpu(found), "networks on GPUs")):
        cores = [size(int(count), one, day).cores for count in scans]
        right.plot(scans, cores, drawstyle="steps-post", label=label)
    right.set(xlabel="scans a day", ylabel="cores, all clusters", xscale="log", yscale="log")
    right.legend(frameon=False, fontsize=8)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(PICTURE, metadata={"Date": None})
    pyplot.close(figure)


def _mean(
    busy: float, seconds: float, servers: int, balance: Balance, rng: np.random.Generator
) -> float:
    count = 200_000
    at = np.cumsum(rng.exponential(seconds / servers / busy, count))
    return float(wait(at, np.full(count, seconds), servers, balance, rng).mean())
