"""Votes, contributions and the probability, as the numbers and pieces that charts are drawn of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from models.inference.decision import decide
from models.vertebrae.findings import questioned
from service.language.formats import number, percent
from service.language.locale import _
from service.medicine.osteoporosis.schemas import Analysis, noticed
from service.runners.registry import MODEL_NAMES
from service.types import BASES, BaseName, Outcome

LEAST: Final = 0.05
MOST: Final = 0.95
"""What a probability is told as at least and at most: it is calibrated on some hundred scans, of
which too few lie beyond to tell it from certainty."""

Towards = Literal["for", "against", "neither"]


@dataclass(frozen=True, kw_only=True)
class Span:
    """A piece of a 0…100 % scale, as SVG attributes take it."""

    x: str
    width: str


@dataclass(frozen=True, kw_only=True)
class Gauge:
    """The probability with threshold and band on a scale of 0…100 %."""

    band: Span
    threshold: str
    value: str
    anchor: str
    """SVG text-anchor that keeps the value's label inside the drawing."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One base model in the table of votes."""

    model: BaseName
    name: str
    probability: str | None
    bar: Span | None
    contribution: str | None
    pull: Span | None
    """The contribution as a bar that starts in the middle."""
    towards: Towards | None
    version: str | None
    state: str
    """``used``, ``unused`` (answered, took no part), ``alone`` (decided alone) or ``absent``."""


def rows(analysis: Analysis) -> tuple[Row, ...]:
    """Return a row a base model; the widest bar of a contribution is one log-odd or the largest.

    A model that there was not yet when the image was judged has none.
    """
    votes = analysis.models.values()
    scale = max([1.0, *(abs(vote.contribution) for vote in votes if vote.contribution)])
    alone = speaker(analysis)
    known = (*analysis.models, *analysis.missing)
    return tuple(_row(analysis, name, alone, scale) for name in BASES if name in known)


def speaker(analysis: Analysis) -> BaseName | None:
    """Return the base model that decided without the stack, if one did."""
    if "stack" not in analysis.missing:
        return None
    return next((n for n in BASES if _version(analysis, n) == analysis.version), None)


def is_questioned(analysis: Analysis) -> bool:
    """Return whether a finding, and not the probability, made the outcome indeterminate, or would
    have done so: an older version may have kept it as normal."""
    if analysis.outcome == "normal":
        return questioned("normal", noticed(analysis.quality, analysis.vertebrae)) != "normal"
    value, threshold, band = analysis.probability, analysis.threshold, analysis.band
    if value is None or threshold is None or band is None:
        return False
    return analysis.outcome == "indeterminate" and decide(value, threshold, band) == "normal"


def told(analysis: Analysis) -> Outcome:
    """Return the outcome as pages, lists and the PDF tell it: never normal over a finding that
    questions the image, whatever an older version kept."""
    return "indeterminate" if is_questioned(analysis) else analysis.outcome


def _row(analysis: Analysis, name: BaseName, alone: str | None, scale: float) -> Row:
    vote = analysis.models.get(name)
    contribution = vote.contribution if vote else None
    if vote is None:
        state = "absent"
    elif name == alone:
        state = "alone"
    else:
        state = "unused" if contribution is None else "used"
    return Row(
        model=name,
        name=MODEL_NAMES[name],
        probability=probability(vote.probability) if vote else None,
        bar=_span(0, vote.probability) if vote else None,
        contribution=None if contribution is None else number(contribution, 2, signed=True),
        pull=None if contribution is None else _pull(contribution / scale),
        towards=_towards(contribution),
        version=vote.version if vote else None,
        state=state,
    )


def _towards(contribution: float | None) -> Towards | None:
    """Return where a contribution pulls, as it is shown: with two decimals."""
    if contribution is None:
        return None
    shown = round(contribution, 2)
    return "for" if shown > 0 else "against" if shown < 0 else "neither"


def _pull(part: float) -> Span:
    """A bar of ``part`` (−1…1) of half the width, from the middle to its side."""
    return _span(0.5, 0.5 + part / 2) if part > 0 else _span(0.5 + part / 2, 0.5)


def gauge(analysis: Analysis) -> Gauge | None:
    value, threshold, band = analysis.probability, analysis.threshold, analysis.band
    if value is None or threshold is None or band is None:
        return None
    anchor = "start" if value < 0.1 else "end" if value > 0.9 else "middle"
    return Gauge(
        band=_span(*band),
        threshold=_coordinate(threshold),
        # Where what is told of it lies, which beyond that is a range.
        value=_coordinate(within(value)),
        anchor=anchor,
    )


def within(value: float) -> float:
    """Return where on a scale of 0…1 a probability is drawn: beyond :data:`LEAST` and :data:`MOST`
    in the middle of what is told of it."""
    if value > MOST:
        return (1 + MOST) / 2
    return LEAST / 2 if value < LEAST else value


def _span(start: float, end: float) -> Span:
    return Span(x=_coordinate(start), width=_coordinate(end - start))


def _coordinate(part: float) -> str:
    return f"{part * 100:.2f}%"


def probability(value: float | None) -> str | None:
    """Write a probability of 0…1 in whole per cents; beyond :data:`LEAST` and :data:`MOST` that it
    lies beyond."""
    if value is None:
        return None
    if value > MOST:
        return _("over %(value)s", value=percent(MOST, 0))
    if value < LEAST:
        return _("under %(value)s", value=percent(LEAST, 0))
    return percent(value, 0)


def _version(analysis: Analysis, name: BaseName) -> str | None:
    vote = analysis.models.get(name)
    return vote.version if vote else None
