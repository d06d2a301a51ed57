"""Has a patient's spine BMD changed, or is the difference within what a scanner repeats to?

The rule (ISCD; domain.md §1.4): *changed* only when the difference reaches the least significant
change, between scans of the same machine and the same vertebrae, in g/cm² and not in T-scores. The
least significant change at 95 % is 2.77 × precision, the precision being the facility's own RMS
standard deviation in g/cm². It is larger with fewer vertebrae: factors of the Manitoba programme
(10.1016/j.jocd.2024.101483, domain.md §1.3). One vertebra is never used (ISCD). Nothing is ever
converted between machines.

Arithmetic is decimal: a difference that equals the least significant change reaches it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Literal
from uuid import UUID

from service.exams.schemas import Exam
from service.medicine.densitometry import LEAST_VERTEBRAE
from service.medicine.progression.precision import Precision

Verdict = Literal["gain", "loss", "no_significant_change", "not_comparable"]

Condition = Literal[
    "bmd_missing",
    "date_missing",
    "same_day",
    "machine_missing",
    "machine_differs",
    "vertebrae_missing",
    "vertebrae_differ",
    "too_few_vertebrae",
]
"""What stands against comparing two studies."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """One study beside an earlier one.

    ``difference`` and ``least`` are in g/cm² and None unless the two are comparable; then
    ``against`` is empty.
    """

    earlier: UUID
    verdict: Verdict
    difference: Decimal | None = None
    percent: Decimal | None = None
    least: Decimal | None = None
    against: tuple[Condition, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Point:
    """One study in the course of time.

    ``previous`` looks at the study right before. ``baseline`` looks at the earliest study that can
    be compared with this one, and is None when that is the previous one or when there is none.
    """

    exam: Exam
    previous: Change | None
    baseline: Change | None


def course(exams: Sequence[Exam], precision: Precision) -> tuple[Point, ...]:
    """Return ``studies`` by date of acquisition, those without one last, each with its changes."""
    ordered = sorted(exams, key=lambda exam: exam.acquired_on or date.max)
    points = [Point(exam=exam, previous=None, baseline=None) for exam in ordered[:1]]
    for number, (before, exam) in enumerate(pairwise(ordered), start=1):
        previous = compare(before, exam, precision)
        candidates = (compare(one, exam, precision) for one in ordered[: number - 1])
        baseline = next((one for one in candidates if one.verdict != "not_comparable"), None)
        points.append(Point(exam=exam, previous=previous, baseline=baseline))
    return tuple(points)


def compare(earlier: Exam, later: Exam, precision: Precision) -> Change:
    """Judge the difference between two studies of one patient, ``earlier`` being the older."""
    against = obstacles(earlier, later)
    if against or earlier.bmd_g_cm2 is None or later.bmd_g_cm2 is None or later.vertebrae is None:
        return Change(earlier=earlier.prediction_id, verdict="not_comparable", against=against)
    before, after = Decimal(repr(earlier.bmd_g_cm2)), Decimal(repr(later.bmd_g_cm2))
    difference = after - before
    least = precision.least_significant_change(len(later.vertebrae))
    verdict: Verdict = "no_significant_change"
    if abs(difference) >= least:
        verdict = "gain" if difference > 0 else "loss"
    return Change(
        earlier=earlier.prediction_id,
        verdict=verdict,
        difference=difference,
        percent=100 * difference / before,
        least=least,
    )


def obstacles(earlier: Exam, later: Exam) -> tuple[Condition, ...]:
    """Return every condition for a comparison that does not hold."""
    pair = (earlier, later)
    found: list[Condition] = []
    if any(exam.bmd_g_cm2 is None for exam in pair):
        found.append("bmd_missing")
    if any(exam.acquired_on is None for exam in pair):
        found.append("date_missing")
    elif earlier.acquired_on == later.acquired_on:
        found.append("same_day")
    machines = {exam.scanner.identity if exam.scanner else None for exam in pair}
    if None in machines:
        found.append("machine_missing")
    elif len(machines) > 1:
        found.append("machine_differs")
    regions = {exam.vertebrae for exam in pair}
    if None in regions:
        found.append("vertebrae_missing")
    elif len(regions) > 1:
        found.append("vertebrae_differ")
    if any(exam.vertebrae and len(exam.vertebrae) < LEAST_VERTEBRAE for exam in pair):
        found.append("too_few_vertebrae")
    return tuple(found)
