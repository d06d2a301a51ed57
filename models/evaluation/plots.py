"""The evaluation as pictures: SVG, the same bytes for the same evaluation.

Shown 360 px wide on a light panel. Lines differ in dash and width as well as in colour; the colours
are Okabe and Ito's, which those who see few colours tell apart too. Text stays text.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from matplotlib import style
from matplotlib.figure import Figure

from models.evaluation.schema import Confusion, Evaluation
from models.inference.stack import key
from models.types import BASES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from models.evaluation.schema import Report

SIDE: Final = 4.5
"""Inches. At 360 px wide, 11 points are then 12 px."""

STYLE: Final[dict[Any, Any]] = {
    # Ids in the file would else be random.
    "svg.hashsalt": "osteoserve",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 11.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 10.0,
}


class Line(NamedTuple):
    """How a model is drawn in every plot."""

    title: str
    colour: str
    dash: str | tuple[int, tuple[int, ...]]
    width: float


LINES: Final = {
    "cnn": Line("CNN", "#E69F00", "--", 1.4),
    "vgg16": Line("VGG16", "#009E73", "-.", 1.4),
    "resnet": Line("ResNet", "#CC79A7", ":", 1.8),
    "bone": Line("Bone", "#D55E00", (0, (1, 1, 4, 1)), 1.4),
    key(BASES): Line("Stack", "#0072B2", "-", 2.4),
}


def plots(evaluation: Evaluation) -> dict[str, bytes]:
    """Return each plot's file name and its SVG."""
    draw: Mapping[str, Callable[[Axes, Evaluation], None]] = {
        "roc.svg": _roc,
        "precision-recall.svg": _precision_recall,
        "reliability.svg": _reliability,
        "confusion.svg": _confusion,
    }
    return {name: _svg(one, evaluation) for name, one in draw.items()}


def _svg(draw: Callable[[Axes, Evaluation], None], evaluation: Evaluation) -> bytes:
    with style.context(["default", STYLE]):
        figure = Figure(figsize=(SIDE, SIDE), layout="constrained")
        draw(figure.add_subplot(), evaluation)
        if figure.axes[0].get_legend_handles_labels()[0]:
            figure.legend(loc="outside lower center", ncols=2)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def _roc(axes: Axes, evaluation: Evaluation) -> None:
    axes.plot([0, 1], [0, 1], color="#888888", linewidth=0.8)
    for line, report in _drawn(evaluation):
        curve = report.curves.roc
        _plot(axes, line, report, curve.false_positive_rate, curve.true_positive_rate, "auroc")
        counts = report.confusion
        normal = counts.false_positive + counts.true_negative
        positives = counts.true_positive + counts.false_negative
        if normal and positives:
            _point(axes, line, counts.false_positive / normal, counts.true_positive / positives)
    _label(axes, "1 − specificity", "Sensitivity", "Area under the curve; dots: at the threshold")


def _precision_recall(axes: Axes, evaluation: Evaluation) -> None:
    counts = evaluation.stack.confusion
    positives = counts.true_positive + counts.false_negative
    share = positives / (positives + counts.false_positive + counts.true_negative)
    axes.axhline(share, color="#888888", linewidth=0.8)
    for line, report in _drawn(evaluation):
        curve = report.curves.precision_recall
        _plot(axes, line, report, curve.recall, curve.precision, "auprc")
        found = report.confusion
        predicted = found.true_positive + found.false_positive
        if predicted and positives:
            _point(axes, line, found.true_positive / positives, found.true_positive / predicted)
    _label(
        axes, "Recall (sensitivity)", "Precision", "Area under the curve; dots: at the threshold"
    )


def _reliability(axes: Axes, evaluation: Evaluation) -> None:
    axes.plot([0, 1], [0, 1], color="#888888", linewidth=0.8)
    for line, report in _drawn(evaluation):
        curve = report.curves.reliability
        _plot(axes, line, report, curve.predicted, curve.observed)
    curve = evaluation.stack.curves.reliability
    points = zip(curve.predicted, curve.observed, curve.count, strict=True)
    for number, (x, y, count) in enumerate(points):
        axes.annotate(
            f"n = {count}",
            (x, y),
            # Neighbours in turn above and below, away from the edge that is nearer.
            (4 if x < 0.5 else -4, -13 if number % 2 else 6),
            textcoords="offset points",
            horizontalalignment="left" if x < 0.5 else "right",
            color=LINES[key(BASES)].colour,
            size=9,
        )
    _label(
        axes,
        "Predicted probability",
        "Observed share",
        "Osteoporosis; n: images in the stack's bin",
    )


def _confusion(axes: Axes, evaluation: Evaluation) -> None:
    counts: Confusion = evaluation.stack.confusion
    table = [
        [counts.true_positive, counts.false_negative],
        [counts.false_positive, counts.true_negative],
    ]
    axes.imshow(table, cmap="Blues", vmin=0, vmax=2 * max(1, *table[0], *table[1]))
    for row, (truth, of) in enumerate(zip(("osteoporosis", "normal"), table, strict=True)):
        for column, count in enumerate(of):
            axes.text(column, row, f"{count}", ha="center", va="center", size=22)
            share = f"{count / sum(of):.0%} of {truth}" if sum(of) else ""
            axes.text(column, row + 0.24, share, ha="center", va="center", size=9)
    axes.set_xticks([0, 1], ["osteoporosis", "normal"])
    axes.set_yticks([0, 1], ["osteo-\nporosis", "normal"])
    axes.set_xlabel("Called by the stack at its threshold")
    axes.set_ylabel("Truth")
    axes.grid(visible=False)


def _drawn(evaluation: Evaluation) -> list[tuple[Line, Report]]:
    return [(line, evaluation.models[name]) for name, line in LINES.items()]


def _plot(
    axes: Axes,
    line: Line,
    report: Report,
    x: tuple[float, ...],
    y: tuple[float, ...],
    area: str | None = None,
) -> None:
    """Draw one model's line, named with the metric ``area`` in the legend."""
    value = report.metrics[area].value if area else None
    axes.plot(
        x,
        y,
        color=line.colour,
        linestyle=line.dash,
        linewidth=line.width,
        marker="" if area else "o",
        markersize=4,
        label=line.title if value is None else f"{line.title} {value:.2f}",
    )


def _point(axes: Axes, line: Line, x: float, y: float) -> None:
    axes.plot([x], [y], "o", color=line.colour, markersize=7, markeredgecolor="black")


def _label(axes: Axes, x: str, y: str, note: str) -> None:
    axes.set_title(note, size=10, loc="left")
    axes.set(xlabel=x, ylabel=y, xlim=(-0.02, 1.02), ylim=(-0.08, 1.1), aspect="equal")
