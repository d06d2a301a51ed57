"""One simulated patient: how their bone goes, and what is seen of it at visits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from models.cohort import parameters
from models.cohort.parameters import Nuisance
from models.cohort.regimen import Regimen, natural_share, regimen, total
from models.progression.visit import YEAR, Sex, Visit

Floats = NDArray[np.float64]

STEP: Final = 0.1
"""Years between two points of a course."""
BEYOND: Final = 6.0
"""Years that a course goes on after the last visit."""
BEGUN: Final = date(2000, 1, 1)


@dataclass(frozen=True, kw_only=True)
class Patient:
    """A patient's visits. ``precision`` is the facility's for L1–L4, in g/cm².

    ``truth`` is the share of the first BMD that the bone truly has, every tenth of a year from the
    first visit; None of people who were not simulated. ``readings`` is what each machine reads of
    whole bone at the start, by machine and vertebrae.
    """

    sex: Sex
    precision: float
    visits: tuple[Visit, ...]
    truth: Floats | None = None
    readings: Mapping[tuple[str, tuple[str, ...]], float] | None = None

    def true_bmd(self, visit: Visit, years: Floats) -> Floats:
        """Return what ``visit``'s machine would truly read ``years`` after the first visit."""
        if self.truth is None or self.readings is None:
            raise ValueError("nobody knows the true course of a patient who was not simulated")
        there = np.interp(years, STEP * np.arange(len(self.truth)), self.truth)
        return np.asarray(self.readings[visit.machine, visit.vertebrae] * there)


def draw(rng: Generator, nuisance: Nuisance) -> Patient:
    """Return a patient drawn from what is published and from a clinic's ranges."""
    sex: Sex = "male" if rng.random() < nuisance.men else "female"
    age = rng.uniform(*nuisance.ages)
    days = _days(rng, nuisance)
    times = np.arange(0.0, days[-1] + BEYOND + STEP, STEP)
    taken = regimen(rng, nuisance, float(days[-1]))
    kilograms = _weight(rng, nuisance, times)
    course = _course(rng, nuisance, sex, age, times, taken, kilograms)
    precision = rng.uniform(*nuisance.precision)
    own = precision * np.exp(nuisance.habitus * rng.standard_normal())
    ages, means, spreads = np.array(parameters.BMD[sex]).T
    hologic = rng.normal(np.interp(age, ages, means), np.interp(age, ages, spreads))
    bone = float(np.clip(hologic, 0.5, 1.6))
    visits, readings = _visits(rng, nuisance, age, days, course, kilograms, taken, bone, own)
    return Patient(
        sex=sex, precision=float(precision), visits=visits, truth=course, readings=readings
    )


def _days(rng: Generator, nuisance: Nuisance) -> Floats:
    count = int(rng.integers(nuisance.visits[0], nuisance.visits[1] + 1))
    return np.append(0.0, np.cumsum(rng.uniform(*nuisance.interval, size=count - 1)))


def _weight(rng: Generator, nuisance: Nuisance, times: Floats) -> Floats:
    steps = nuisance.kilograms * np.sqrt(STEP) * rng.standard_normal(len(times))
    wander = np.cumsum(steps)
    start = np.clip(rng.normal(70, 12), 42, 130)
    return np.asarray(start + nuisance.kilograms * rng.standard_normal() * times / 2 + wander)


def natural(sex: Sex, age: float, times: Floats, menopause: float) -> Floats:
    """Return the share that is lost a year at ``times`` without any drug, negative."""
    years = age + times
    if sex == "male":
        return np.where(years < 50, *parameters.MEN)
    since = years - menopause
    return np.select(
        [since < -2, since < -1, since < 2, since < 7],
        [
            parameters.BEFORE_MENOPAUSE, parameters.APPROACHING, parameters.AROUND,
            parameters.AFTER,
        ],
        parameters.LATE,
    )  # fmt: skip


def _course(
    rng: Generator,
    nuisance: Nuisance,
    sex: Sex,
    age: float,
    times: Floats,
    taken: Sequence[Regimen],
    kilograms: Floats,
) -> Floats:
    own = nuisance.slope * rng.standard_normal()
    menopause = rng.normal(*parameters.MENOPAUSE)
    loss = natural(sex, age, times, menopause) * natural_share(taken, times) + own
    wandering = nuisance.wandering * np.sqrt(STEP) * rng.standard_normal(len(times))
    onset = rng.normal(*parameters.DEGENERATION)
    gained = rng.exponential(0.004) * (
        np.clip(age + times - onset, 0, None) - max(age - onset, 0.0)
    )
    change = (
        np.cumsum(loss * STEP + wandering)
        + np.minimum(gained, parameters.MOST_DEGENERATION)
        + parameters.KILOGRAM * (kilograms - kilograms[0])
        + total(taken, times)
    )
    return np.asarray(np.exp(change - change[0]))


def _visits(
    rng: Generator,
    nuisance: Nuisance,
    age: float,
    days: Floats,
    course: Floats,
    kilograms: Floats,
    taken: Sequence[Regimen],
    bone: float,
    precision: float,
) -> tuple[tuple[Visit, ...], dict[tuple[str, tuple[str, ...]], float]]:
    maker = str(rng.choice(list(parameters.MAKERS)))
    ratio = parameters.MAKERS[maker]
    valid = [name for name, share in parameters.INVALID.items() if rng.random() >= share]
    if len(valid) < 2:
        valid = ["L1", "L2", "L3"]
    # How much denser each vertebra is than the whole: what a subset reads differs by it.
    own = dict(zip(parameters.INVALID, rng.normal(0, 0.04, 4), strict=True))
    machine, factor, readings, found = 1, 1.0, {}, []
    for number, years in enumerate(days):
        if number and rng.random() < nuisance.another_machine:
            machine += 1
            factor *= 1 + rng.uniform(*nuisance.offset) * rng.choice([-1, 1])
        is_broken = bool(number) and rng.random() < _fracture(age + years)
        if is_broken and len(valid) > 2 and rng.random() < 0.3:
            broken = rng.choice(valid)
            valid = [name for name in valid if name != broken]
        there = (f"{maker} {machine}", tuple(valid))
        if there not in readings:
            mean = float(np.mean([own[name] for name in valid]))
            readings[there] = bone * ratio * factor * (1 + mean)
        at = round(years / STEP)
        true = readings[there] * float(np.interp(years, STEP * np.arange(len(course)), course))
        noise = precision * parameters.FEWER[len(valid)] * rng.standard_normal()
        drug = next((one for one in taken if one.start <= years < one.stop), None)
        found.append(
            Visit(
                on=BEGUN + timedelta(days=round(years * YEAR)),
                age=float(int(age + years)),
                bmd=round(float(np.clip(true + noise, 0.3, 2.5)), 3),
                machine=there[0],
                vertebrae=there[1],
                weight=round(float(kilograms[at]), 1),
                drug=None if drug is None else drug.drug,
                since=None if drug is None else BEGUN + timedelta(days=round(drug.start * YEAR)),
                fracture=is_broken,
            )
        )
    return tuple(found), readings


def _fracture(age: float) -> float:
    """Return the chance of a fragility fracture between two visits (§6.3: convention)."""
    return float(np.clip(0.01 + 0.002 * (age - 50), 0.01, 0.08))
