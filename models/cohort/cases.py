"""What forecasts are learnt from and judged on: comparable visits, and later ones of the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from models.cohort import parameters
from models.cohort.patient import Patient
from models.progression import series as rows
from models.progression.forecast import LEAST_FOR_FORECAST
from models.progression.series import Series
from models.progression.visit import YEAR, Visit, comparable

FURTHEST = 5.0
"""Years: nothing is forecast beyond."""


@dataclass(frozen=True)
class Case:
    """What was known after some visits of patient ``number``, and a later scan of the same kind."""

    number: int
    patient: Patient
    series: Series
    visits: tuple[Visit, ...]
    years: float
    bmd: float


def series_of(patient: Patient, visits: Sequence[Visit]) -> tuple[Series, tuple[Visit, ...]]:
    """Return the series that ends with the last of ``visits``."""
    alike = comparable(visits)
    precision = patient.precision * parameters.FEWER[len(alike[0].vertebrae)]
    return rows.of(patient.sex, alike, visits, precision), alike


def cases(patients: Iterable[Patient], least: int = LEAST_FOR_FORECAST) -> Iterator[Case]:
    """Yield every pair of comparable visits and a later one, no more than five years after.

    A forecast holds while treatment goes on as it was, so a later visit counts only until it
    changes; what follows a class with a limit is not a change.
    """
    for number, patient in enumerate(patients):
        ordered = sorted(patient.visits, key=lambda visit: visit.on)
        for end in range(least, len(ordered)):
            known, later = ordered[:end], ordered[end:]
            series, alike = series_of(patient, known)
            if len(alike) < least:
                continue
            last = alike[-1]
            for visit in later:
                years = (visit.on - last.on).days / YEAR
                if years > FURTHEST or not _goes_on(series, last, visit):
                    break
                if (visit.machine, visit.vertebrae) == (last.machine, last.vertebrae):
                    yield Case(number, patient, series, alike, years, visit.bmd)


def _goes_on(series: Series, last: Visit, visit: Visit) -> bool:
    there = series.times[-1] + (visit.on - last.on).days / YEAR
    plan = [one for one in series.plan if one.start <= there < one.stop]
    return visit.drug == (plan[-1].drug if plan else None)
