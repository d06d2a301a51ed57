"""The pictures of ``docs/benchmarks``: SVG, the same bytes for the same results."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from matplotlib import style
from matplotlib.figure import Figure

from loadtests.benchmark.contenders import LIMIT
from models.evaluation.plots import STYLE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OURS: Final = "#0072B2"
THEIRS: Final = "#999999"
BOUND: Final = "#009E73"
"""Okabe and Ito's, as in the pictures of the evaluation."""


def pictures(results: Mapping[str, Any]) -> dict[str, bytes]:
    """Return file's name → SVG, of what the run measured."""
    found: dict[str, bytes] = {}
    if "contenders" in results:
        rows = len(results["contenders"])
        found["throughput.svg"] = _svg(_throughput, results["contenders"], 1, 7.5, 0.34 * rows + 1)
    if "linear" in results:
        found["linear.svg"] = _svg(_linear, results["linear"], 2, 9.0, 3.6)
    return found


def _svg(
    draw: Callable[[list[Axes], Any], None], what: Any, panels: int, width: float, height: float
) -> bytes:
    with style.context(["default", STYLE]):
        figure = Figure(figsize=(width, height), layout="constrained")
        draw([figure.add_subplot(1, panels, panel + 1) for panel in range(panels)], what)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def _throughput(panels: list[Axes], contenders: Mapping[str, Mapping[str, Any]]) -> None:
    (axes,) = panels
    shares = {name: float(one.get("share_of_limit", 0.0)) for name, one in contenders.items()}
    ordered = sorted(shares, key=lambda name: shares[name])
    colours = {"osteoserve": OURS, LIMIT: BOUND}
    bars = axes.barh(
        [contenders[name]["title"] for name in ordered],
        [shares[name] for name in ordered],
        color=[colours.get(name, THEIRS) for name in ordered],
    )
    axes.bar_label(bars, fmt="%.2f", padding=3)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("Throughput as a share of the limit")


def _linear(panels: list[Axes], found: Mapping[str, Any]) -> None:
    images, clients = panels
    counts = [row["images"] for row in found["images"]]
    images.loglog(counts, [row["seconds"] for row in found["images"]], "o-", color=OURS)
    images.set_xlabel("Images")
    images.set_ylabel("Seconds")
    clients.plot(
        [row["clients"] for row in found["clients"]],
        [row["cost"] for row in found["clients"]],
        "o-",
        color=OURS,
    )
    clients.set_xlabel("Clients at a time")
    clients.set_ylabel("CPU an image, times the limit's")
    clients.set_ylim(0, 1.1 * max(row["cost"] for row in found["clients"]))
