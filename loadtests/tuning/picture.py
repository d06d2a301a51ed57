"""The curves as a picture: time per image over batch size, and what was chosen."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from loadtests.tuning.policy import Batching, Curve


def draw(curves: Mapping[str, Curve], chosen: Mapping[str, Batching], path: Path) -> None:
    """Write an SVG whose text is text, the same for the same curves."""
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "tuning"}):
        figure = Figure(figsize=(9, 3.6), layout="constrained")
        time_per_image, latency = figure.subplots(1, 2)
        for name, curve in curves.items():
            sizes = sorted(curve)
            size = chosen[name].max_batch_size
            each = [1000 * curve[n] / n for n in sizes]
            whole = [1000 * curve[n] for n in sizes]
            (line,) = time_per_image.plot(sizes, each, marker=".", label=f"{name}, {size}")
            time_per_image.plot([size], [1000 * curve[size] / size], "o", color=line.get_color())
            latency.plot(sizes, whole, marker=".", color=line.get_color())
            latency.plot([size], [1000 * curve[size]], "o", color=line.get_color())
        for axes, label in ((time_per_image, "ms per image"), (latency, "ms per batch")):
            axes.set_xscale("log", base=2)
            axes.set_yscale("log")
            axes.set_xlabel("images in a batch")
            axes.set_ylabel(label)
            axes.grid(visible=True, alpha=0.3)
        time_per_image.legend(title="runner, chosen size")
        figure.savefig(path, metadata={"Date": None})
