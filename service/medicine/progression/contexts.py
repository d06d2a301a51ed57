"""One patient's studies over time, as a table; the drawing is in ``course``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from uuid import UUID

from service.exams.schemas import Exam
from service.language.formats import day, number
from service.language.locale import N_, _
from service.medicine.modalities.ct.view import of as ct
from service.medicine.modalities.ultrasound.view import of as ultrasound
from service.medicine.modalities.wording import SOURCES
from service.medicine.osteoporosis.view import told
from service.medicine.osteoporosis.wording import HEADINGS
from service.medicine.progression.change import Change, Condition, Point, Verdict
from service.medicine.progression.outlook import Outlook
from service.medicine.progression.precision import Precision
from service.medicine.progression.trend import Chart, drawing, region, scanner
from service.medicine.progression.view import OutlookCard
from service.medicine.scoliosis.trend import Seen, trend
from service.medicine.scoliosis.view import CurveRow
from service.medicine.scoliosis.view import rows as curves
from service.predictions.timeline import Timeline
from service.types import Outcome
from service.web.page import Page

_CT, _ULTRASOUND = SOURCES["ct"], SOURCES["ultrasound"]
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
class TimelineRow:
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
class OtherRow:
    """``study`` is the result's id, ``detail`` the device and where it measured."""

    study: str
    date: str
    name: str
    value: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class PatientPage(Page):
    templates = ("patient.html",)
    section = "/history"

    key: str
    """Of the patient, in addresses."""
    reference: str
    rows: tuple[TimelineRow, ...]
    unreadable: int
    """Further studies that cannot be read here."""
    chart: Chart | None
    precision: str
    least: tuple[str, str, str]
    """The least significant change for four, three and two vertebrae."""
    outlook: OutlookCard
    curves: tuple[CurveRow, ...]
    others: tuple[OtherRow, ...]
    """What other modalities measured; never in the course of BMD."""

    @classmethod
    def of(
        cls, patient: Timeline, points: Sequence[Point], precision: Precision, found: Outlook
    ) -> PatientPage:
        outcomes = {exam.prediction_id: prediction for exam, prediction in patient.exams}
        days = {point.exam.prediction_id: _day(point.exam) for point in points}
        least = [number(float(precision.least_significant_change(n)), 4) for n in (4, 3, 2)]
        return cls(
            key=str(patient.key),
            reference=patient.reference,
            rows=tuple(
                _row(point, told(outcomes[point.exam.prediction_id]), days) for point in points
            ),
            unreadable=patient.unreadable,
            chart=drawing(points, precision, found.forecast),
            precision=number(float(precision.spine_g_cm2), 3),
            least=(least[0], least[1], least[2]),
            outlook=OutlookCard.of(found),
            curves=curves(trend(seen(patient))),
            others=tuple(row for point in points for row in _others(point.exam)),
        )


def seen(patient: Timeline) -> list[Seen]:
    """Return the patient's exams as the trend of the curve takes them."""
    return [
        Seen(
            prediction_id=exam.prediction_id,
            acquired_on=exam.acquired_on,
            vertebrae=prediction.vertebrae,
        )
        for exam, prediction in patient.exams
    ]


def _row(point: Point, outcome: Outcome, days: Mapping[UUID, str]) -> TimelineRow:
    exam = point.exam
    changes = [change for change in (point.previous, point.baseline) if change is not None]
    return TimelineRow(
        id=str(exam.prediction_id),
        date=_day(exam),
        date_iso=exam.acquired_on.isoformat() if exam.acquired_on else None,
        bmd=None if exam.bmd_g_cm2 is None else number(exam.bmd_g_cm2, 3),
        t_score=None if exam.t_score is None else number(exam.t_score, 1),
        vertebrae=region(exam),
        scanner=scanner(exam),
        outcome=outcome,
        heading=_(HEADINGS[outcome]),
        changes=tuple(_told(change, days[change.earlier]) for change in changes),
    )


def _others(exam: Exam) -> Iterator[OtherRow]:
    study, date = str(exam.prediction_id), _day(exam)
    measured = exam.modalities.ct
    if measured is not None:
        lines = ct(measured)
        detail = f"{lines.place}. {lines.scan}"
        yield OtherRow(study=study, date=date, name=_(_CT), value=lines.number, detail=detail)
    heel = exam.modalities.ultrasound
    if heel is not None:
        shown = ultrasound(heel)
        name, value = _(_ULTRASOUND), "; ".join(shown.numbers)
        yield OtherRow(study=study, date=date, name=name, value=value, detail=shown.device)


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


def _day(exam: Exam) -> str:
    return _("unknown date") if exam.acquired_on is None else day(exam.acquired_on)
