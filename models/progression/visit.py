"""One measurement of a patient's spine and what was known of them on that day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, get_args

Sex = Literal["female", "male"]
DrugClass = Literal["bisphosphonate", "denosumab", "parathyroid", "romosozumab"]
"""Classes whose effect on the spine's BMD is told apart; ``parathyroid``: analogues of PTH."""

CLASSES: Final[tuple[DrugClass, ...]] = get_args(DrugClass)
YEAR: Final = 365.25
"""Days."""


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One scan. ``vertebrae`` are those that the BMD is of.

    ``since`` is when ``drug``, the one at the time of the scan, was begun.
    """

    on: date
    age: float
    bmd: float
    machine: str
    vertebrae: tuple[str, ...]
    weight: float | None = None
    drug: DrugClass | None = None
    since: date | None = None
    fracture: bool = False


def comparable(visits: Sequence[Visit]) -> tuple[Visit, ...]:
    """Return the visits of the last one's machine and vertebrae, in order of time."""
    ordered = sorted(visits, key=lambda visit: visit.on)
    last = ordered[-1]
    return tuple(
        visit
        for visit in ordered
        if (visit.machine, visit.vertebrae) == (last.machine, last.vertebrae)
    )
