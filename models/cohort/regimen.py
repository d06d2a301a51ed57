"""Which drugs a simulated patient takes, and what they do to the spine's BMD."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from models.cohort import parameters
from models.cohort.parameters import Nuisance
from models.progression.treatment import LIMITS
from models.progression.visit import CLASSES, DrugClass

Floats = NDArray[np.float64]

_SHARES = {"bisphosphonate": 0.6, "denosumab": 0.25, "parathyroid": 0.08, "romosozumab": 0.07}
"""Of those who begin a drug (docs/domain.md §6.3: convention)."""


@dataclass(frozen=True)
class Regimen:
    """A drug from ``start`` to ``stop`` in years; ``response`` multiplies its published effect.

    ``followed`` says whether another drug comes right after.
    """

    drug: DrugClass
    start: float
    stop: float
    response: float
    followed: bool


def regimen(rng: Generator, nuisance: Nuisance, last: float) -> tuple[Regimen, ...]:
    """Return what a patient takes until years after the ``last`` visit."""
    if rng.random() >= nuisance.treated:
        return ()
    drugs = list(CLASSES)
    found: list[Regimen] = []
    # Some come with a drug that they have taken for years.
    start = rng.uniform(-3.0, 0.8 * last)
    drug: DrugClass = drugs[int(rng.choice(len(drugs), p=[_SHARES[one] for one in drugs]))]
    while start < last:
        limit = LIMITS.get(drug)
        stop = start + (rng.exponential(1 / nuisance.stopped) if limit is None else limit)
        followed = limit is not None or rng.random() < 0.3
        stop = stop if stop < last or limit is not None else inf
        response = _response(rng, nuisance)
        if drug == "romosozumab" and found:
            response *= parameters.AFTER_ANOTHER
        found.append(Regimen(drug, start, stop, response, followed))
        if not followed:
            break
        start = stop
        drug = "denosumab" if limit is None and drug != "denosumab" else "bisphosphonate"
    return tuple(found)


def _response(rng: Generator, nuisance: Nuisance) -> float:
    if rng.random() < parameters.NO_RESPONSE:
        return 0.0
    # Those who respond gain more, so that the mean of all is what was published.
    mean = 1 / (1 - parameters.NO_RESPONSE)
    return float(np.clip(rng.normal(mean, nuisance.response), 0.1, 2.2))


def total(taken: Sequence[Regimen], times: Floats) -> Floats:
    """Return what all drugs have added at ``times``, as logarithms of a share."""
    found = np.zeros(len(times))
    for one in taken:
        effect = parameters.EFFECTS[one.drug]
        on = np.clip(np.minimum(times, one.stop) - one.start, 0, None)
        gain = effect.fast * (1 - np.exp(-on / effect.onset)) + effect.yearly * on
        off = np.zeros(len(times)) if one.followed else np.clip(times - one.stop, 0, None)
        kept = 1 - effect.lost * (1 - np.exp(-off / effect.onset_of_loss))
        found += one.response * gain * kept
    return np.log1p(found)


def natural_share(taken: Sequence[Regimen], times: Floats) -> Floats:
    """Return the share of natural loss that goes on: published gains have it in them."""
    found = np.ones(len(times))
    for one in taken:
        found[(times >= one.start) & (times < one.stop)] = 0.0
        if one.drug == "bisphosphonate" and not one.followed:
            found[(times >= one.stop) & (times < one.stop + 5)] = parameters.RETAINED
    return found
