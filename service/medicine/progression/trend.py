"""The BMD of one patient's studies, as the numbers that a drawing is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Final

from models.progression.forecast import Forecast
from models.progression.visit import YEAR
from service.exams.parts import VERTEBRAE
from service.exams.schemas import Exam
from service.language.formats import day, listing, number
from service.language.locale import _
from service.medicine.progression.change import Point
from service.medicine.progression.precision import Precision


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
class Band:
    """The forecast: ``interval`` and ``middle`` are points in a box of 1000 by the height."""

    x: str
    width: str
    interval: str
    middle: str


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
    breaks: tuple[str, ...]
    """Where another machine or other vertebrae begin: nothing is compared across."""
    band: Band | None
    series: tuple[Series, ...]
    first: str
    last: str


def region(exam: Exam) -> str | None:
    """The vertebrae as reports name them: ``L1–L4`` for a row of them without a gap."""
    if not exam.vertebrae:
        return None
    first, last = (VERTEBRAE.index(exam.vertebrae[end]) for end in (0, -1))
    if len(exam.vertebrae) > 1 and last - first == len(exam.vertebrae) - 1:
        return f"{exam.vertebrae[0]}–{exam.vertebrae[-1]}"
    return listing(exam.vertebrae)


def scanner(exam: Exam) -> str | None:
    return f"{exam.scanner.vendor} {exam.scanner.serial}" if exam.scanner else None


_TOP: Final = 12.0
_HEIGHT: Final = 180.0
"""Pixels that the values have; below stand the dates."""
_LEFT: Final = 12.0
_WIDTH: Final = 84.0
"""Per cent of the width; left of it stand the values."""


def drawing(
    points: Sequence[Point], precision: Precision, forecast: Forecast | None = None
) -> Chart | None:
    drawn = [
        (exam, exam.acquired_on, exam.bmd_g_cm2)
        for exam in (point.exam for point in points)
        if exam.acquired_on is not None and exam.bmd_g_cm2 is not None
    ]
    if len(drawn) < 2:
        return None
    first, newest = drawn[0][1], drawn[-1][1]
    last, values = newest, [bmd for _, _, bmd in drawn]
    lowest, highest = min(values), max(values)
    if forecast is not None:
        last = newest + timedelta(days=round(float(forecast.years[-1]) * YEAR))
        values += [float(forecast.low.min()), float(forecast.high.max())]
    low, high = min(values) - 0.05, max(values) + 0.05

    def x(when: date) -> float:
        share = (when - first).days / max((last - first).days, 1)
        return _LEFT + _WIDTH * share

    def y(bmd: float) -> float:
        return _TOP + _HEIGHT * (high - bmd) / (high - low)

    groups: dict[tuple[object, object], list[tuple[Exam, date, float]]] = {}
    for one in drawn:
        groups.setdefault(_kind(one[0]), []).append(one)
    places = {exam.prediction_id: (x(when), y(bmd)) for exam, when, bmd in drawn}
    belts = []
    for members in groups.values():
        exam, when, bmd = members[0]
        if len(members) < 2 or exam.scanner is None or len(exam.vertebrae or ()) < 2:
            continue
        least = float(precision.least_significant_change(len(exam.vertebrae or ())))
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
        (x1, y1), (x2, y2) = places[change.earlier], places[point.exam.prediction_id]
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
            last=day(newest),
            low=number(lowest, 3),
            high=number(highest, 3),
        )
        + ("" if forecast is None else " " + _("Beyond the last one stands the forecast.")),
        marks=tuple(
            Mark(
                x=f"{places[exam.prediction_id][0]:.2f}%",
                y=f"{places[exam.prediction_id][1]:.1f}",
                series=series % 3,
            )
            for series, members in enumerate(groups.values())
            for exam, _when, _bmd in members
        ),
        links=tuple(links),
        belts=tuple(belts),
        ticks=tuple(
            Tick(y=f"{y(bmd):.1f}", label=number(bmd, 2)) for bmd in (high, (high + low) / 2, low)
        ),
        breaks=tuple(
            f"{(x(before[1]) + x(after[1])) / 2:.2f}%"
            for before, after in pairwise(drawn)
            if _kind(before[0]) != _kind(after[0])
        ),
        band=None if forecast is None else _band(forecast, x(newest), x(last), drawn[-1][2], y),
        series=tuple(
            Series(number=series % 3, name=_name(members[0][0]))
            for series, members in enumerate(groups.values())
        ),
        first=day(first),
        last=day(last),
    )


def _kind(exam: Exam) -> tuple[object, object]:
    """Return what two studies must share to be of one series."""
    return exam.scanner and exam.scanner.identity, exam.vertebrae


def _band(
    forecast: Forecast, start: float, end: float, bmd: float, y: Callable[[float], float]
) -> Band:
    furthest = float(forecast.years[-1])

    def line(years: Sequence[float], values: Sequence[float]) -> list[str]:
        pairs = zip(years, values, strict=True)
        return [f"{1000 * when / furthest:.0f},{y(value):.1f}" for when, value in pairs]

    years = [0.0, *map(float, forecast.years)]
    upper = line(years, [bmd, *map(float, forecast.high)])
    lower = line(years, [bmd, *map(float, forecast.low)])
    return Band(
        x=f"{start:.2f}%",
        width=f"{end - start:.2f}%",
        interval=" ".join([*upper, *reversed(lower)]),
        middle=" ".join(line(years, [bmd, *map(float, forecast.middle)])),
    )


def _name(exam: Exam) -> str:
    return _(
        "%(scanner)s; %(vertebrae)s",
        scanner=scanner(exam) or _("unknown scanner"),
        vertebrae=region(exam) or _("unknown vertebrae"),
    )
