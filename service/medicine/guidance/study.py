"""From the facts that were entered about a study to those that considerations ask for.

Nothing of the image goes this way: no probability, no outcome, no finding.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from service.exams.measurements import Measured, Quantity
from service.exams.parts import SIDED, BesideSpine
from service.exams.regions import lowest
from service.exams.schemas import Exam
from service.medicine.modalities.ct import reading as ct
from service.medicine.modalities.entered import Entered, Entry
from service.medicine.modalities.settings import ModalitySettings
from service.medicine.modalities.ultrasound import reading as ultrasound

_QUANTITIES: Final[tuple[Quantity, ...]] = ("t_score", "z_score")
_SCORES: Final[dict[str, tuple[BesideSpine, Quantity]]] = {
    f"{score}s.{site}": (site, score) for site in SIDED for score in _QUANTITIES
}
"""Fields of hip and forearm, with what of them."""


def fields_of(exam: Exam, limits: ModalitySettings | None = None) -> dict[str, str]:
    """Return what is known of a study as fields of the form of considerations.

    With ``limits`` CT and ultrasound are among them, as far as they can be read at all.

    What a scanner measured is as good as entered; where a person has entered otherwise, that is
    taken.
    """
    report = _of_spine(exam)
    z_score = None if report is None or report.spine is None else report.spine.z_score
    known = {
        "age": exam.age_years,
        "sex": exam.sex,
        **{name: lowest(exam.measured, exam.regions, *of) for name, of in _SCORES.items()},
        "t_scores.lumbar_spine": exam.t_score,
        "z_scores.lumbar_spine": z_score if exam.z_score is None else exam.z_score,
        "evaluable_vertebrae": None if exam.vertebrae is None else len(exam.vertebrae),
        **({} if limits is None else _others(exam.modalities, limits)),
    }
    return {name: str(value) for name, value in known.items() if value is not None}


def _others(kept: Entered, limits: ModalitySettings) -> dict[str, float | str | None]:
    """Return what CT and ultrasound say, where a limit holds for what measured."""
    attenuation = kept.ct if ct.voice(kept.ct, limits).counts else None
    return {
        "ct_hu": None if attenuation is None else attenuation.mean_hu,
        "heel_ultrasound": ultrasound.voice(kept.ultrasound, limits).reading,
    }


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Whose word a field of the form is.

    ``report`` is the scanner's object that tells it, ``entry`` who entered another modality's
    measurement. Without either somebody entered it, or the image's own file tells it.
    """

    field: str
    report: Measured | None = None
    entry: Entry | None = None


_FACTS: Final = {
    "age": "age_years",
    "sex": "sex",
    "t_scores.lumbar_spine": "t_score",
    "evaluable_vertebrae": "vertebrae",
}
"""Facts of the exam that are fields of the form."""


def origins(exam: Exam, limits: ModalitySettings | None = None) -> tuple[Origin, ...]:
    """Return where each of :func:`fields_of` comes from, in the same order."""
    return tuple(_origin(exam, name) for name in fields_of(exam, limits))


def _origin(exam: Exam, field: str) -> Origin:
    if field == "ct_hu":
        return Origin(field=field, entry=exam.modalities.ct_entry)
    if field == "heel_ultrasound":
        return Origin(field=field, entry=exam.modalities.ultrasound_entry)
    fact = _FACTS.get(field)
    if fact is not None:
        report = _of_spine(exam) if fact in exam.from_scanner else None
        return Origin(field=field, report=report)
    if field == "z_scores.lumbar_spine":
        is_theirs = exam.z_score is None or "z_score" in exam.from_scanner
        return Origin(field=field, report=_of_spine(exam) if is_theirs else None)
    site, quantity = _SCORES[field]
    told = lowest(exam.measured, exam.regions, site, quantity)
    numbers = None if exam.regions is None else exam.regions.given.get(site)
    if numbers is not None and getattr(numbers, quantity) == told:
        return Origin(field=field)
    return Origin(field=field, report=next(_with(exam, site, quantity, told), None))


def _of_spine(exam: Exam) -> Measured | None:
    return next((one for one in reversed(exam.measured) if one.spine is not None), None)


def _with(
    exam: Exam, site: BesideSpine, quantity: Quantity, value: float | None
) -> Iterator[Measured]:
    """Yield the objects that tell ``value`` of a region, the last one first."""
    for report in reversed(exam.measured):
        if any(one.region == site and getattr(one, quantity) == value for one in report.values):
            yield report
