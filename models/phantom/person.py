"""Whom a phantom shows: drawn once a patient, the same in all of the patient's images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.phantom.nuisance import TRAINING, Nuisance
from models.phantom.reference import (
    GATES,
    RATIOS,
    Sex,
    Vendor,
    band,
    classify,
    spread,
    t_score,
    to_lunar,
)
from models.types import Label

ATTEMPTS = 5_000


@dataclass(frozen=True, eq=False)
class Person:
    """A synthetic patient.

    ``bmd`` is the L1–L4 areal density in g/cm² on the scale of ``vendor``; ``ratios`` says how it
    is spread over L1–L4; ``stature`` scales all lengths; ``seed`` fixes the shape of the bones.
    """

    sex: Sex
    age: int
    vendor: Vendor
    bmi: float
    bmd: float
    ratios: NDArray[np.float64]
    stature: float
    seed: int

    @property
    def t_score(self) -> float:
        return t_score(self.bmd, self.vendor, self.sex)

    @property
    def label(self) -> Label:
        return classify(self.t_score)


def draw_person(
    rng: np.random.Generator, label: Label | None = None, nuisance: Nuisance = TRAINING
) -> Person:
    """Draw a person from the population, or from its part that has ``label``.

    The latter by rejection, so that sex and age follow the disease as they do in the population.
    """
    for _ in range(ATTEMPTS):
        sex: Sex = "female" if rng.random() < nuisance.women else "male"
        vendor: Vendor = "ge" if rng.random() < nuisance.ge else "hologic"
        age = int(rng.integers(int(nuisance.age[0]), int(nuisance.age[1]) + 1))
        bmd = _bmd(rng, sex, age, vendor)
        if label is None or classify(t_score(bmd, vendor, sex)) == label:
            break
    else:
        raise ValueError(f"no person of class {label} in {ATTEMPTS} draws from {nuisance}")
    return Person(
        sex=sex,
        age=age,
        vendor=vendor,
        bmi=float(rng.uniform(*nuisance.bmi)),
        bmd=bmd,
        ratios=np.array(RATIOS[sex]) * np.exp(rng.normal(0.0, spread(age), 4)),
        stature=float(np.exp(rng.normal(0.0, 0.035))),
        seed=int(rng.integers(2**32)),
    )


def _bmd(rng: np.random.Generator, sex: Sex, age: int, vendor: Vendor) -> float:
    mean, sd = band(age).female if sex == "female" else band(age).male
    hologic = float(np.clip(rng.normal(mean, sd), *GATES["bmd"]))
    return hologic if vendor == "hologic" else min(to_lunar(hologic), GATES["bmd"][1])
