"""From a patient's studies to what the model of progression reads, and why it may not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from models.progression import series as rows
from models.progression.forecast import LEAST_FOR_FORECAST, LEAST_FOR_RATE
from models.progression.series import Series
from models.progression.visit import DrugClass, Visit
from service.exams.schemas import Exam
from service.medicine.drugs import BISPHOSPHONATES, PARATHYROID, Drug, Present
from service.medicine.progression.change import obstacles
from service.medicine.progression.precision import CONFIDENCE_FACTOR, Precision

CLASSES: Final[Mapping[Drug, DrugClass]] = {
    **dict.fromkeys(BISPHOSPHONATES, "bisphosphonate"),
    **dict.fromkeys(PARATHYROID, "parathyroid"),
    "denosumab": "denosumab",
    "romosozumab": "romosozumab",
}
"""Drugs whose effect on BMD the model knows."""

Missing = Literal[
    "no_comparable_studies", "third_study", "sex", "age", "drug_without_model", "model",
    "t_score", "t_score_does_not_apply", "scanner_without_reference", "at_threshold",
]  # fmt: skip
"""Why something is not told."""


@dataclass(frozen=True, kw_only=True)
class History:
    """The studies that can be compared with the newest, and what the model reads of them.

    ``series`` is None where there are none; ``can_forecast`` says whether the model knows enough.
    """

    alike: tuple[Exam, ...] = ()
    series: Series | None = None
    missing: tuple[Missing, ...] = field(default=())
    is_drug_assumed: bool = False
    """No drug was entered, and so none is taken to be taken."""

    @property
    def can_forecast(self) -> bool:
        return self.series is not None and not self.missing


def of(exams: Sequence[Exam], precision: Precision) -> History:
    """Return the history that ends with the newest study that has a date and a BMD."""
    ordered = sorted(
        (exam for exam in exams if exam.acquired_on and exam.bmd_g_cm2),
        key=lambda exam: exam.acquired_on.toordinal() if exam.acquired_on else 0,
    )
    if not ordered:
        return History(missing=("no_comparable_studies",))
    last = ordered[-1]
    alike = (*_one_a_day(ordered[:-1], last), last)
    if len(alike) < LEAST_FOR_RATE:
        return History(missing=("no_comparable_studies",))
    drugs = _drugs(ordered)
    missing: list[Missing] = []
    if len(alike) < LEAST_FOR_FORECAST:
        missing.append("third_study")
    sex = next((exam.sex for exam in reversed(ordered) if exam.sex), None)
    if sex is None:
        missing.append("sex")
    age = _age(ordered)
    if age is None:
        missing.append("age")
    if any(drug not in CLASSES for drug in drugs if drug not in (None, "none")):
        missing.append("drug_without_model")
    visits = [_visit(exam, drug, age or 60.0, last) for exam, drug in zip(ordered, drugs,
                                                                         strict=True)]  # fmt: skip
    compared = {id(exam) for exam in alike}
    shown = [visit for exam, visit in zip(ordered, visits, strict=True) if id(exam) in compared]
    least = precision.least_significant_change(len(last.vertebrae or ()))
    return History(
        alike=alike,
        series=rows.of(sex or "female", shown, visits, float(least / CONFIDENCE_FACTOR)),
        missing=tuple(missing),
        is_drug_assumed=all(drug is None for drug in drugs),
    )


def _one_a_day(exams: Sequence[Exam], last: Exam) -> list[Exam]:
    """Return those that can be compared with ``last``; of one day's studies the latest kept."""
    found = {exam.acquired_on: exam for exam in exams if not obstacles(exam, last)}
    return list(found.values())


def _drugs(exams: Sequence[Exam]) -> list[Present | None]:
    """Return what was taken at each study: where nothing was entered, what was before."""
    found: list[Present | None] = []
    for exam in exams:
        found.append(exam.drug or (found[-1] if found else None))
    return found


def _age(exams: Sequence[Exam]) -> float | None:
    """Return the age at the newest study, by whichever study tells one."""
    newest = exams[-1].acquired_on
    for exam in reversed(exams):
        if exam.age_years is not None and exam.acquired_on and newest:
            # A whole number of years: half a year more in the mean.
            return exam.age_years + 0.5 + (newest - exam.acquired_on).days / 365.25
    return None


def _visit(exam: Exam, drug: Present | None, age: float, last: Exam) -> Visit:
    if exam.acquired_on is None or exam.bmd_g_cm2 is None or last.acquired_on is None:
        raise ValueError("a study without date or BMD is no visit")
    known = None if drug is None or drug == "none" else CLASSES.get(drug)
    return Visit(
        on=exam.acquired_on,
        age=age - (last.acquired_on - exam.acquired_on).days / 365.25,
        bmd=exam.bmd_g_cm2,
        machine=" ".join(exam.scanner.identity) if exam.scanner else "",
        vertebrae=exam.vertebrae or (),
        weight=exam.weight_kg,
        drug=known,
        since=exam.drug_since if known else None,
        fracture=bool(exam.fracture),
    )
