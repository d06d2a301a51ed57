"""The evaluation in words and Markdown tables: for the terminal, report.md and the cards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from models.evaluation.published import REASON
from models.evaluation.schema import (
    WITHOUT_INTERVAL,
    Claim,
    Evaluation,
    Leak,
    Metrics,
    Report,
    Subgroup,
)
from models.evaluation.subgroups import LEAST_IMAGES, LEAST_OF_EACH
from models.manifest import DataFacts, Outcomes

TITLES: Final = {
    "auroc": "AUROC",
    "auprc": "AUPRC",
    "brier": "Brier score",
    "ece": "calibration error (ECE)",
    "calibration_slope": "calibration slope",
    "accuracy": "accuracy",
    "precision": "precision",
    "sensitivity": "sensitivity (recall)",
    "specificity": "specificity",
    "f1": "F1",
}

COMPACT: Final = ("auroc", "ece", "calibration_slope", "sensitivity", "specificity")
"""What a table of many models says of each."""

WHERE: Final = {
    "cross-validation": "Cross-validated: each image scored by a fit that saw neither it nor its "
    "group, at the threshold of that fit.",
    "held-out": "Scored by what is served, at the stored thresholds.",
    "training": "**These are the images that the models were trained on: the figures only show "
    "that they remember.** Honest figures are in the cards.",
}


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table whose columns line up in a terminal too."""
    cells = [list(header), *([str(cell) for cell in row] for row in rows)]
    widths = [max(3, *(len(row[i]) for row in cells)) for i in range(len(header))]
    lines = [
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) + " |"
        for row in cells
    ]
    return "\n".join([lines[0], "|" + "|".join("-" * (w + 2) for w in widths) + "|", *lines[1:]])


def title(key: str) -> str:
    """Return how a model or a subset is written: ``cnn + vgg16``."""
    return key.replace("+", " + ")


def figures(measured: Mapping[str, Metrics]) -> str:
    """Return a row a metric, a column a model; metrics that a model lacks stay empty."""
    names = [name for name in TITLES if any(name in found for found in measured.values())]
    return table(
        ["metric", *(title(key) for key in measured)],
        ([TITLES[name], *(_figure(found, name) for found in measured.values())] for name in names),
    )


def compact(measured: Mapping[str, Metrics], what: str) -> str:
    """Return a row a model, with the :data:`COMPACT` metrics."""
    return table(
        [what, *(TITLES[name] for name in COMPACT)],
        (
            [title(key), *(_figure(found, name) for name in COMPACT)]
            for key, found in measured.items()
        ),
    )


def classes(rows: Mapping[str, Outcomes]) -> str:
    """Return truth against outcome; osteopenia is nobody's right or wrong answer."""
    return table(
        ["truth", "images", "osteoporosis", "indeterminate", "normal", "mean probability"],
        (
            [
                label,
                row.images,
                row.osteoporosis,
                row.indeterminate,
                row.normal,
                "–" if row.mean_probability is None else f"{row.mean_probability:.2f}",
            ]
            for label, row in rows.items()
        ),
    )


def subgroups(cells: Sequence[Subgroup]) -> str:
    if not cells:
        return (
            "Not known: the data says nothing of sex, age, vendor or any other field, so no "
            "subgroup was looked at."
        )
    return (
        table(
            ["subgroup", "images", "osteoporosis", *(TITLES[name] for name in COMPACT)],
            (
                [
                    f"{cell.field} {cell.value}",
                    cell.images,
                    cell.osteoporosis,
                    *(_figure(cell.metrics or {}, name) for name in COMPACT),
                ]
                for cell in cells
            ),
        )
        + f"\n\nFigures from {LEAST_IMAGES} images on, {LEAST_OF_EACH} of each label; – : too few."
    )


def published(claims: Sequence[Claim], ours: Mapping[str, Metrics], leak: Leak | None) -> str:
    """Return claims beside our accuracy, the reason not to compare, and what leaking gives us."""
    rows = table(
        ["model", "published accuracy", "ours", "source"],
        (
            [
                claim.model,
                f"{claim.accuracy:.0%}",
                _figure(ours.get(claim.key, {}), "accuracy"),
                claim.source,
            ]
            for claim in claims
        ),
    )
    return f"{rows}\n\n{REASON}\n\n{leaked(leak)}"


def leaked(leak: Leak | None) -> str:
    if leak is None:
        return "What a leaky split would give on these images was not measured."
    return (
        f"Measured on our own images: split at random after augmentation, our cheapest model gets "
        f"accuracy {leak.accuracy:.3f} and AUROC {leak.auroc:.3f}; the same model split by group, "
        f"{leak.grouped_accuracy:.3f} and {leak.grouped_auroc:.3f}. {leak.description}"
    )


def confusion(reports: Mapping[str, Report]) -> str:
    return table(
        ["at the threshold", "found", "missed", "false alarm", "rightly normal"],
        (
            [
                title(key),
                report.confusion.true_positive,
                report.confusion.false_negative,
                report.confusion.false_positive,
                report.confusion.true_negative,
            ]
            for key, report in reports.items()
        ),
    )


def report(evaluation: Evaluation, pictures: Sequence[str] = ()) -> str:
    """Return the whole evaluation as Markdown, with ``pictures`` (file names) in it."""
    data = evaluation.data
    singles = {key: r for key, r in evaluation.models.items() if "+" not in key}
    combined = {key: r for key, r in evaluation.models.items() if "+" in key}
    whole = next(iter(combined))
    measured = {key: r.metrics for key, r in {**singles, whole: combined[whole]}.items()}
    alone = {f"{key} alone": r for key, r in evaluation.alone.items()}
    low, high = evaluation.stack.band
    lines = [
        "# Evaluation",
        "",
        "Research use only; preliminary until a clinician signs. A probability is no diagnosis.",
        "",
        WHERE[evaluation.source],
        "",
        f"{data.provenance} {counted(data.counts)}; {data.groups} groups; digest `{data.digest}`.",
        "",
        *_refused(data),
        "## Figures",
        "",
        "Normal against osteoporosis; 95 % intervals from a bootstrap of whole groups.",
        "",
        figures(measured),
        "",
        confusion({**singles, whole: combined[whole]}),
        "",
        "## With base models missing",
        "",
        compact({key: r.metrics for key, r in {**combined, **alone}.items()}, "base models"),
        "",
        "## Three classes",
        "",
        f"The stack's outcomes: threshold {evaluation.stack.threshold:.3f}, no decision between "
        f"{low:.3f} and {high:.3f}.",
        "",
        classes(evaluation.stack.classes),
        "",
        "## Subgroups",
        "",
        subgroups(evaluation.subgroups),
        "",
        "## Beside published figures",
        "",
        # What a model remembers is no figure to set beside anything.
        published(
            evaluation.published,
            {} if evaluation.source == "training" else measured,
            evaluation.leak,
        ),
        "",
        *(f"![{name.removesuffix('.svg')}]({name})\n" for name in pictures),
    ]
    return "\n".join(lines)


def counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {label}" for label, count in counts.items())


def _refused(data: DataFacts) -> list[str]:
    if not data.refused_images:
        return []
    return [
        f"{data.refused_images} more images were refused before any model was asked, and stand in "
        f"none of the figures; by reason, of which an image may have several: "
        f"{counted(data.refused)}.",
        "",
    ]


def _figure(measured: Metrics, name: str) -> str:
    if name not in measured:
        return "–"
    found = measured[name]
    if name in WITHOUT_INTERVAL and found.value is not None:
        return f"{found.value:.3f}"
    return str(found)
