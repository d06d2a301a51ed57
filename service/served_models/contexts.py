"""What is being served, and how good it is, as one page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from models.evaluation.schema import WITHOUT_INTERVAL, Metrics, Report
from service.language.formats import number, percent
from service.language.locale import N_, _, ngettext
from service.runners.registry import MODEL_NAMES
from service.runners.states import RunnerState
from service.served_models.schemas import Lineup, Served
from service.types import BASES, RUNNER_OF, ModelName, RunnerName
from service.web import articles as content
from service.web.page import Page

FIGURES: Final[Mapping[str, str]] = {
    "auroc": N_("AUROC"),
    "auprc": N_("AUPRC"),
    "brier": N_("Brier score"),
    "ece": N_("Calibration error"),
    "calibration_slope": N_("Calibration slope"),
    "accuracy": N_("Accuracy"),
    "precision": N_("Precision"),
    "sensitivity": N_("Sensitivity (recall)"),
    "specificity": N_("Specificity"),
    "f1": N_("F1"),
}
LABELS: Final[Mapping[str, str]] = {
    "normal": N_("normal"),
    "osteopenia": N_("osteopenia"),
    "osteoporosis": N_("osteoporosis"),
}
DRAWINGS: Final[Mapping[str, str]] = {
    "roc": N_("ROC curves: sensitivity against false alarms, every model"),
    "precision-recall": N_("Precision against recall, every model"),
    "reliability": N_("Reliability: predicted probability against observed share"),
    "confusion": N_("Confusion at the stored threshold: truth against what was called"),
}
STATES: Final[Mapping[RunnerState, str]] = {
    "ready": N_("answers"),
    "down": N_("does not answer"),
    "unknown": N_("not asked yet"),
}
SOURCES: Final[Mapping[str, str]] = {
    "cross-validation": N_(
        "Cross-validated: each image was scored by a fit that saw neither it nor its group."
    ),
    "held-out": N_("Scored by what is served, on images that no fit has seen."),
}
SINCE: Final = N_(
    "Cross-validated figures are of before strokes alone were hidden of what is drawn on an image, "
    "not all around them: two of 114 scans have had another outcome since, and the figures were "
    "not made anew."
)
"""What :mod:`models.evaluation.since` says, as catalogues know it."""
_LEAST: Final = "–"


@dataclass(frozen=True, kw_only=True)
class ModelRow:
    name: str
    state: str
    version: str
    origin: str
    card: Markup
    anchor: str


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A value and its interval, both as they are written."""

    value: str
    interval: str


@dataclass(frozen=True, kw_only=True)
class FigureRow:
    name: str
    whole: bool
    """The stack with every base model: what a healthy service answers."""
    figures: tuple[Figure, ...]
    threshold: str
    band: str


@dataclass(frozen=True, kw_only=True)
class ClassRow:
    label: str
    images: str
    osteoporosis: str
    indeterminate: str
    normal: str
    mean: str


@dataclass(frozen=True, kw_only=True)
class ConfusionRow:
    name: str
    cells: tuple[str, str, str, str]


@dataclass(frozen=True, kw_only=True)
class Drawing:
    address: str
    alt: str


@dataclass(frozen=True, kw_only=True)
class ClaimRow:
    model: str
    claimed: str
    ours: str
    source: str


@dataclass(frozen=True, kw_only=True)
class SubgroupRow:
    name: str
    images: str
    osteoporosis: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True, kw_only=True)
class ModelsPage(Page):
    templates = ("models.html",)

    version: str
    recipe: str
    models: tuple[ModelRow, ...]
    source: str
    since: str
    heads: tuple[str, ...]
    rows: tuple[FigureRow, ...]
    classes: tuple[ClassRow, ...]
    confusion: tuple[ConfusionRow, ...]
    drawings: tuple[Drawing, ...]
    claims: tuple[ClaimRow, ...]
    leak: tuple[str, str, str] | None
    """AUROC, accuracy and how the split was made that gave them."""
    subgroups: tuple[SubgroupRow, ...]
    subgroup_heads: tuple[str, ...]
    provenance: str
    counts: str
    digest: str

    @classmethod
    def of(cls, lineup: Lineup, states: Mapping[RunnerName, RunnerState]) -> ModelsPage:
        results = lineup.results
        measured = [key for key in FIGURES if any(key in one.metrics for one in results.values())]
        whole = "+".join(BASES)
        few = [key for key in ("auroc", "sensitivity", "specificity") if key in measured]
        return cls(
            version=lineup.version,
            recipe=lineup.recipe,
            models=tuple(_model(name, one, states) for name, one in lineup.models.items()),
            source=_(SOURCES[lineup.source]),
            since="" if lineup.since is None else _(SINCE),
            heads=tuple(_(FIGURES[key]) for key in measured),
            rows=tuple(
                FigureRow(
                    name=_named(key),
                    whole=key == whole,
                    figures=tuple(_figure(one.metrics, head) for head in measured),
                    threshold=percent(one.threshold),
                    band=f"{number(one.band[0] * 100, 1)}–{percent(one.band[1])}",
                )
                for key, one in results.items()
            ),
            classes=tuple(_classes(results[whole])) if whole in results else (),
            confusion=tuple(_confusion(results)),
            drawings=tuple(
                Drawing(address=address, alt=_(DRAWINGS[_plot_name(address)]))
                for address in lineup.plots
            ),
            claims=tuple(
                ClaimRow(
                    model=claim.model,
                    claimed=percent(claim.accuracy, 0),
                    ours=_ours(claim.model, results),
                    source=claim.source,
                )
                for claim in lineup.published
            ),
            leak=None
            if lineup.leak is None
            else (
                number(lineup.leak.auroc, 3),
                percent(lineup.leak.accuracy),
                lineup.leak.description,
            ),
            subgroup_heads=tuple(_(FIGURES[key]) for key in few),
            subgroups=tuple(
                SubgroupRow(
                    name=f"{cell.field}: {cell.value}",
                    images=number(cell.images),
                    osteoporosis=number(cell.osteoporosis),
                    figures=tuple(_figure(cell.metrics or {}, key) for key in few),
                )
                for cell in lineup.subgroups
            ),
            provenance=lineup.data.provenance,
            counts=", ".join(
                f"{number(count)} {_label(label)}" for label, count in lineup.data.counts.items()
            )
            + "; "
            + ngettext("%(num)s group", "%(num)s groups", lineup.data.groups),
            digest=lineup.data.digest,
        )


def _model(name: ModelName, served: Served, states: Mapping[RunnerName, RunnerState]) -> ModelRow:
    # The page has its own first two headings; a card's begin below them.
    card = re.sub(r"(?m)^(#{1,4}) ", r"##\1 ", served.card)
    return ModelRow(
        name=MODEL_NAMES[name],
        state=_(STATES[states.get(RUNNER_OF[name], "unknown")]),
        version=served.version,
        origin=served.origin or "",
        card=content.render(card),
        anchor=f"card-{name}",
    )


def _named(key: str) -> str:
    """Return a subset's name; a base model alone is itself."""
    parts = [MODEL_NAMES[name] for name in BASES if name in key.split("+")]
    return " + ".join(parts) if len(parts) != len(BASES) else _("Stack, all models")


def _figure(metrics: Metrics, name: str) -> Figure:
    estimate = metrics.get(name)
    if estimate is None or estimate.value is None:
        return Figure(value=_LEAST, interval="")
    if name in WITHOUT_INTERVAL or estimate.low is None or estimate.high is None:
        return Figure(value=number(estimate.value, 3), interval="")
    return Figure(
        value=number(estimate.value, 3),
        interval=f"{number(estimate.low, 3)}–{number(estimate.high, 3)}",
    )


def _classes(report: Report) -> Iterator[ClassRow]:
    for label, outcomes in report.classes.items():
        mean = outcomes.mean_probability
        yield ClassRow(
            label=_label(label),
            images=number(outcomes.images),
            osteoporosis=number(outcomes.osteoporosis),
            indeterminate=number(outcomes.indeterminate),
            normal=number(outcomes.normal),
            mean=_LEAST if mean is None else percent(mean, 0),
        )


def _confusion(results: Mapping[str, Report]) -> Iterator[ConfusionRow]:
    for key, report in results.items():
        found = report.confusion
        cells = (
            found.true_positive,
            found.false_negative,
            found.false_positive,
            found.true_negative,
        )
        one, two, three, four = map(number, cells)
        yield ConfusionRow(name=_named(key), cells=(one, two, three, four))


def _label(label: str) -> str:
    return _(LABELS[label]) if label in LABELS else label


def _plot_name(address: str) -> str:
    return address.partition("?")[0].rpartition("/")[2].removesuffix(".svg")


def _ours(model: str, results: Mapping[str, Report]) -> str:
    """Return our accuracy for the model that a claim is about, by the first word of its name."""
    first = re.split(r"\W+", model.lower(), maxsplit=1)[0]
    key = "+".join(BASES) if first == "stack" else first
    report = results.get(key)
    estimate = report.metrics.get("accuracy") if report else None
    if estimate is None or estimate.value is None:
        return _LEAST
    if estimate.low is None or estimate.high is None:
        return percent(estimate.value)
    low, high = number(estimate.low * 100, 1), percent(estimate.high)
    return f"{percent(estimate.value)} ({low}–{high})"
