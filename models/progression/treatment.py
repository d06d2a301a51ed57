"""Which drug acted when, as far as visits tell, and as it is planned from the last one on."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.progression.visit import CLASSES, YEAR, DrugClass, Visit

LIMITS: Final[Mapping[DrugClass, float]] = {"parathyroid": 2.0, "romosozumab": 1.0}
"""Years for which labels allow a class; an antiresorptive follows (docs/domain.md §6.2)."""

ONSET: Final = 1.0
"""Years in which the fast part of a drug's effect, and of its loss, is two thirds done."""

COLUMNS: Final = 3 * len(CLASSES)
"""Of :func:`exposure`."""


@dataclass(frozen=True)
class Course:
    """A class of drugs from ``start`` to ``stop``, in years from a series' first visit."""

    drug: DrugClass
    start: float
    stop: float = math.inf


def courses(visits: Sequence[Visit]) -> tuple[Course, ...]:
    """Return what was taken when; ``visits`` are in order of time, and may be of any machine.

    Of a drug that is no longer taken, nobody enters the day on which it was stopped: halfway
    between two visits, or when the next one was begun.
    """
    first = visits[0].on
    found: list[Course] = []
    before = 0.0
    for number, visit in enumerate(visits):
        now = (visit.on - first).days / YEAR
        going = found[-1] if found and math.isinf(found[-1].stop) else None
        start = None if visit.since is None else (visit.since - first).days / YEAR
        # Without a day, it was begun halfway between two visits too.
        begun = (now + before) / 2 if start is None else min(start, now)
        if going is not None and visit.drug != going.drug:
            stop = (now + before) / 2 if visit.drug is None else max(begun, going.start)
            found[-1] = replace(going, stop=stop)
            going = None
        if visit.drug is not None and going is None:
            found.append(Course(visit.drug, begun if number or start is not None else now))
        before = now
    return tuple(found)


def planned(taken: Sequence[Course]) -> tuple[Course, ...]:
    """Return ``taken`` going on as it is; after a class with a limit a bisphosphonate follows."""
    if not taken or not math.isinf(taken[-1].stop) or taken[-1].drug not in LIMITS:
        return tuple(taken)
    last = taken[-1]
    end = last.start + LIMITS[last.drug]
    return (*taken[:-1], replace(last, stop=end), Course("bisphosphonate", end))


def exposure(taken: Iterable[Course], times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return three columns a class at ``times``: the fast gain, years on it, the loss after it."""
    ordered = tuple(taken)
    found = np.zeros((len(times), COLUMNS))
    for number, course in enumerate(ordered):
        later = ordered[number + 1].start if number + 1 < len(ordered) else math.inf
        on = np.clip(np.minimum(times, course.stop) - course.start, 0, None)
        off = np.clip(np.minimum(times, later) - course.stop, 0, None)
        column = 3 * CLASSES.index(course.drug)
        found[:, column] += 1 - np.exp(-on / ONSET)
        found[:, column + 1] += on
        found[:, column + 2] += 1 - np.exp(-off / ONSET)
    return found
