"""One patient's studies over time: a table, and a drawing of the BMD."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final
from uuid import UUID

from service.language import N_, _, day, listing, number
from service.monitoring import Change, Condition, Point, Precision, Verdict
from service.pages.page import Page
from service.pages.verdict import HEADINGS
from service.storage import Patient
from service.study import VERTEBRAE, Study
from service.types import Outcome

_CONDITIONS: Final[Mapping[Condition, str]] = {
    "bmd_missing": N_("the BMD of one of them is not known"),
    "date_missing": N_("the date of one of them is not known"),
    "same_day": N_("both are of the same day"),
    "machine_missing": N_("the scanner’s vendor or serial number is not known"),
    "machine_differs": N_("they are of different machines"),
    "vertebrae_missing": N_("the vertebrae are not known"),
    "vertebrae_differ": N_("they are of different vertebrae"),
    "too_few_vertebrae": N_("one of them has fewer than two vertebrae"),
}
_CHANGES: Final[Mapping[Verdict, str]] = {
    "gain": N_(
        "Gain since %(day)s: %(difference)s g/cm² (%(percent)s %%), at least the least significant "
        "change of %(least)s."
    ),
    "loss": N_(
        "Loss since %(day)s: %(difference)s g/cm² (%(percent)s %%), at least the least significant "
        "change of %(least)s."
    ),
    "no_significant_change": N_(
        "No significant change since %(day)s: %(difference)s g/cm² (%(percent)s %%), less than the "
        "least significant change of %(least)s."
    ),
    "not_comparable": N_("Not comparable with the study of %(day)s: %(conditions)s."),
}


@dataclass(frozen=True, kw_only=True)
class Told:
    """A change in a sentence. ``mark`` is a shape that says the same: ▲ ▼ ＝ or –."""

    verdict: Verdict
    mark: str
    text: str


@dataclass(frozen=True, kw_only=True)
class StudyRow:
    id: str
    date: str
    date_iso: str | None
    bmd: str | None
    t_score: str | None
    vertebrae: str | None
    scanner: str | None
    outcome: Outcome
    heading: str
    changes: tuple[Told, ...]


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A study in the drawing; ``x`` in per cent of the width, ``y`` in pixels."""

    x: str
    y: str
    series: int


@dataclass(frozen=True, kw_only=True)
class Link:
    """Two studies that can be compared."""

    x1: str
    y1: str
    x2: str
    y2: str
    changed: bool


@dataclass(frozen=True, kw_only=True)
class Belt:
    """What is within the least significant change of a series' first study."""

    x: str
    width: str
    y: str
    height: str


@dataclass(frozen=True, kw_only=True)
class Tick:
    y: str
    label: str


@dataclass(frozen=True, kw_only=True)
class Series:
    """Studies of one machine and the same vertebrae; ``number`` chooses the shape of the marks."""

    number: int
    name: str


@dataclass(frozen=True, kw_only=True)
class Chart:
    summary: str
    marks: tuple[Mark, ...]
    links: tuple[Link, ...]
    belts: tuple[Belt, ...]
    ticks: tuple[Tick, ...]
    series: tuple[Series, ...]
    first: str
    last: str


@dataclass(frozen=True, kw_only=True)
class PatientPage(Page):
    templates = ("patient.html",)
    section = "/history"

    reference: str
    rows: tuple[StudyRow, ...]
    chart: Chart | None
    precision: str
    least: tuple[str, str, str]
    """The least significant change for four, three and two vertebrae."""

    @classmethod
    def of(cls, patient: Patient, points: Sequence[Point], precision: Precision) -> PatientPage:
        outcomes = {study.prediction_id: prediction for study, prediction in patient.studies}
        days = {point.study.prediction_id: _day(point.study) for point in points}
        least = [number(float(precision.least_significant_change(n)), 4) for n in (4, 3, 2)]
        return cls(
            reference=patient.reference,
            rows=tuple(
                _row(point, outcomes[point.study.prediction_id].outcome, days) for point in points
            ),
            chart=_chart(points, precision),
            precision=number(float(precision.spine_g_cm2), 3),
            least=(least[0], least[1], least[2]),
        )


def _row(point: Point, outcome: Outcome, days: Mapping[UUID, str]) -> StudyRow:
    study = point.study
    changes = [change for change in (point.previous, point.baseline) if change is not None]
    return StudyRow(
        id=str(study.prediction_id),
        date=_day(study),
        date_iso=study.acquired_on.isoformat() if study.acquired_on else None,
        bmd=None if study.bmd_g_cm2 is None else number(study.bmd_g_cm2, 3),
        t_score=None if study.t_score is None else number(study.t_score, 1),
        vertebrae=region(study),
        scanner=_scanner(study),
        outcome=outcome,
        heading=_(HEADINGS[outcome]),
        changes=tuple(_told(change, days[change.earlier]) for change in changes),
    )


def _told(change: Change, since: str) -> Told:
    marks: Mapping[Verdict, str] = {
        "gain": "▲", "loss": "▼", "no_significant_change": "=", "not_comparable": "–"
    }  # fmt: skip

    def written(value: Decimal | None, digits: int, *, signed: bool = True) -> str:
        return number(float(value or 0), digits, signed=signed)

    return Told(
        verdict=change.verdict,
        mark=marks[change.verdict],
        text=_(
            _CHANGES[change.verdict],
            day=since,
            difference=written(change.difference, 3),
            percent=written(change.percent, 1),
            least=written(change.least, 4, signed=False),
            conditions="; ".join(_(_CONDITIONS[one]) for one in change.against),
        ),
    )


def _day(study: Study) -> str:
    return _("unknown date") if study.acquired_on is None else day(study.acquired_on)


def region(study: Study) -> str | None:
    """The vertebrae as reports name them: ``L1–L4`` for a row of them without a gap."""
    if not study.vertebrae:
        return None
    first, last = (VERTEBRAE.index(study.vertebrae[end]) for end in (0, -1))
    if len(study.vertebrae) > 1 and last - first == len(study.vertebrae) - 1:
        return f"{study.vertebrae[0]}–{study.vertebrae[-1]}"
    return listing(study.vertebrae)


def _scanner(study: Study) -> str | None:
    return f"{study.scanner.vendor} {study.scanner.serial}" if study.scanner else None


_TOP: Final = 12.0
_HEIGHT: Final = 180.0
"""Pixels that the values have; below stand the dates."""
_LEFT: Final = 12.0
_WIDTH: Final = 84.0
"""Per cent of the width; left of it stand the values."""


def _chart(points: Sequence[Point], precision: Precision) -> Chart | None:
    drawn = [
        (study, study.acquired_on, study.bmd_g_cm2)
        for study in (point.study for point in points)
        if study.acquired_on is not None and study.bmd_g_cm2 is not None
    ]
    if len(drawn) < 2:
        return None
    first, last = drawn[0][1], drawn[-1][1]
    low = min(bmd for _, _, bmd in drawn) - 0.05
    high = max(bmd for _, _, bmd in drawn) + 0.05

    def x(when: date) -> float:
        share = (when - first).days / max((last - first).days, 1)
        return _LEFT + _WIDTH * share

    def y(bmd: float) -> float:
        return _TOP + _HEIGHT * (high - bmd) / (high - low)

    groups: dict[tuple[object, object], list[tuple[Study, date, float]]] = {}
    for one in drawn:
        scanner = one[0].scanner
        groups.setdefault((scanner and scanner.identity, one[0].vertebrae), []).append(one)
    places = {study.prediction_id: (x(when), y(bmd)) for study, when, bmd in drawn}
    belts = []
    for members in groups.values():
        study, when, bmd = members[0]
        if len(members) < 2 or study.scanner is None or len(study.vertebrae or ()) < 2:
            continue
        least = float(precision.least_significant_change(len(study.vertebrae or ())))
        upper, lower = y(min(bmd + least, high)), y(max(bmd - least, low))
        belts.append(
            Belt(
                x=f"{x(when):.2f}%",
                width=f"{x(members[-1][1]) - x(when):.2f}%",
                y=f"{upper:.1f}",
                height=f"{lower - upper:.1f}",
            )
        )
    links = []
    for point in points:
        change = point.previous
        if change is None or change.verdict == "not_comparable":
            change = point.baseline
        if change is None or change.verdict == "not_comparable":
            continue
        (x1, y1), (x2, y2) = places[change.earlier], places[point.study.prediction_id]
        changed = change.verdict in ("gain", "loss")
        links.append(
            Link(x1=f"{x1:.2f}%", y1=f"{y1:.1f}", x2=f"{x2:.2f}%", y2=f"{y2:.1f}", changed=changed)
        )
    return Chart(
        summary=_(
            "BMD of %(count)s studies from %(first)s to %(last)s, between %(low)s and %(high)s "
            "g/cm². The table below says the same.",
            count=number(len(drawn)),
            first=day(first),
            last=day(last),
            low=number(low + 0.05, 3),
            high=number(high - 0.05, 3),
        ),
        marks=tuple(
            Mark(
                x=f"{places[study.prediction_id][0]:.2f}%",
                y=f"{places[study.prediction_id][1]:.1f}",
                series=series % 3,
            )
            for series, members in enumerate(groups.values())
            for study, _when, _bmd in members
        ),
        links=tuple(links),
        belts=tuple(belts),
        ticks=tuple(
            Tick(y=f"{y(bmd):.1f}", label=number(bmd, 2)) for bmd in (high, (high + low) / 2, low)
        ),
        series=tuple(
            Series(number=series % 3, name=_name(members[0][0]))
            for series, members in enumerate(groups.values())
        ),
        first=day(first),
        last=day(last),
    )


def _name(study: Study) -> str:
    return _(
        "%(scanner)s; %(vertebrae)s",
        scanner=_scanner(study) or _("unknown scanner"),
        vertebrae=region(study) or _("unknown vertebrae"),
    )
