"""A cohort of simulated patients, repeatable from its seed, and what identifies it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

from models.cohort.parameters import Nuisance
from models.cohort.patient import Patient, draw

NAME = "simulated visits/1"
"""Of the simulator; another name where the same seed gives other patients."""


def cohort(seed: int, count: int, nuisance: Nuisance) -> tuple[Patient, ...]:
    rng = np.random.default_rng(seed)
    return tuple(draw(rng, nuisance) for _ in range(count))


def digest(patients: Iterable[Patient]) -> str:
    """Return what tells this cohort's visits from any others."""
    found = hashlib.sha256()
    for one in patients:
        found.update(repr((one.sex, round(one.precision, 6), one.visits)).encode())
    return f"sha256:{found.hexdigest()}"
