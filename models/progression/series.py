"""A patient's comparable visits as the numbers that models look at; recipe ``visits/1``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.progression import treatment
from models.progression.treatment import Course
from models.progression.visit import YEAR, Sex, Visit

Floats = NDArray[np.float64]

KNOTS: Final[dict[Sex, tuple[float, ...]]] = {
    "female": (30.0, 45.0, 49.0, 52.0, 55.0, 60.0, 70.0, 85.0),
    "male": (30.0, 50.0, 70.0, 85.0),
}
"""Ages between which the rate of change is a straight line, and beyond which it is constant."""

_GRID: Final = np.arange(0.0, 130.0, 0.05)
_DRIFT: Final = sum(map(len, KNOTS.values()))
COLUMNS: Final = _DRIFT + 1 + treatment.COLUMNS
"""Of :func:`design`: change with age by sex, kilograms, drugs."""

DRUGS: Final = slice(_DRIFT + 1, COLUMNS)
DRIFT: Final = slice(0, _DRIFT)


def _areas() -> dict[Sex, Floats]:
    found = {}
    for sex, knots in KNOTS.items():
        hats = [np.interp(_GRID, knots, np.eye(len(knots))[k]) for k in range(len(knots))]
        found[sex] = np.cumsum(np.array(hats), axis=1) * (_GRID[1] - _GRID[0])
    return found


_AREAS: Final = _areas()
"""The integral of each knot's hat up to an age: years that count for it."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """Visits of one machine and the same vertebrae.

    ``times`` are years since the first of them, ``logs`` natural logarithms of g/cm², ``precision``
    what the facility repeats such a scan to, in g/cm².
    """

    sex: Sex
    age: float
    times: Floats
    logs: Floats
    kilograms: Floats
    taken: tuple[Course, ...]
    precision: float

    @property
    def noise(self) -> Floats:
        """The variance of each logarithm that comes from measuring."""
        return (self.precision / np.exp(self.logs)) ** 2

    @property
    def plan(self) -> tuple[Course, ...]:
        return treatment.planned(self.taken)


def of(sex: Sex, visits: Sequence[Visit], all_visits: Sequence[Visit], precision: float) -> Series:
    """Return the series of ``visits``; drugs are those that ``all_visits`` of the patient tell."""
    first = visits[0]
    times = np.array([(visit.on - first.on).days / YEAR for visit in visits])
    # Ages may be whole numbers: their mean tells the age at the first visit best.
    age = float(np.mean([visit.age for visit in visits] - times))
    known = [visit.weight for visit in visits if visit.weight is not None]
    last = known[0] if known else 0.0
    kilograms = []
    for visit in visits:
        last = visit.weight if visit.weight is not None else last
        kilograms.append(last)
    ordered = sorted(all_visits, key=lambda visit: visit.on)
    lead = (first.on - ordered[0].on).days / YEAR
    taken = tuple(
        Course(one.drug, one.start - lead, one.stop - lead) for one in treatment.courses(ordered)
    )
    return Series(
        sex=sex,
        age=age,
        times=times,
        logs=np.log([visit.bmd for visit in visits]),
        kilograms=np.array(kilograms) - kilograms[0],
        taken=taken,
        precision=precision,
    )


def design(series: Series, times: Floats, kilograms: Floats, taken: tuple[Course, ...]) -> Floats:
    """Return the row of each of ``times``, less what it is at the series' first visit."""
    start = 0
    rows = np.zeros((len(times), COLUMNS))
    for sex, areas in _AREAS.items():
        if sex == series.sex:
            for k, area in enumerate(areas):
                there = np.interp(series.age + times, _GRID, area)
                rows[:, start + k] = there - np.interp(series.age, _GRID, area)
        start += len(areas)
    rows[:, _DRIFT] = kilograms
    both = treatment.exposure(taken, np.append(times, 0.0))
    rows[:, DRUGS] = both[:-1] - both[-1]
    return rows


def seen(series: Series) -> Floats:
    """Return the rows of the visits themselves."""
    return design(series, series.times, series.kilograms, series.taken)


def ahead(series: Series, years: Floats) -> Floats:
    """Return the rows ``years`` after the last visit: the weight stays, drugs as planned."""
    times = series.times[-1] + years
    return design(series, times, np.full(len(times), series.kilograms[-1]), series.plan)
