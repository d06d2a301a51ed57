"""How the curve goes on over a patient's exams."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal
from uuid import UUID

from service.medicine.scoliosis.screening import Screening, Untold, screen
from service.medicine.vertebrae.schemas import Vertebrae

LEAST: Final = 5.0
"""Degrees from which on a difference is called a change (domain.md §2.3)."""

Change = Literal["larger", "smaller", "no_change", "other_side"]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One exam: when it was acquired, None where nobody said, and what was found in its image."""

    prediction_id: UUID
    acquired_on: date | None
    vertebrae: Vertebrae | None


@dataclass(frozen=True, kw_only=True)
class Point:
    """``change`` is against ``earlier``, the exam before it that has an angle and a date; None
    without one."""

    prediction_id: UUID
    acquired_on: date | None
    found: Screening | Untold
    change: Change | None
    earlier: date | None
    difference: float | None
    """Degrees."""


def trend(exams: Sequence[Seen]) -> tuple[Point, ...]:
    """Return the exams that show vertebrae by date, undated ones last, each against the one before.

    Exams of one day are not compared, nor is one that has no date.
    """
    ordered = sorted(exams, key=lambda one: (one.acquired_on is None, one.acquired_on or date.max))
    points: list[Point] = []
    last: tuple[date, Screening] | None = None
    for one in ordered:
        if one.vertebrae is None:
            continue
        found = screen(one.vertebrae)
        told = None if last is None or not isinstance(found, Screening) else last
        if one.acquired_on is None or (told is not None and told[0] == one.acquired_on):
            told = None
        points.append(
            Point(
                prediction_id=one.prediction_id,
                acquired_on=one.acquired_on,
                found=found,
                change=None if told is None else _change(told[1], found),
                earlier=None if told is None else told[0],
                difference=None if told is None else _difference(told[1], found),
            )
        )
        if isinstance(found, Screening) and one.acquired_on is not None:
            last = one.acquired_on, found
    return tuple(points)


def _difference(before: Screening, now: Screening | Untold) -> float | None:
    if not isinstance(now, Screening) or _turned(before, now):
        return None
    return round(now.degrees - before.degrees, 2)


def _change(before: Screening, now: Screening | Untold) -> Change | None:
    if not isinstance(now, Screening):
        return None
    if _turned(before, now):
        return "other_side"
    difference = now.degrees - before.degrees
    if abs(difference) < LEAST:
        return "no_change"
    return "larger" if difference > 0 else "smaller"


def _turned(before: Screening, now: Screening) -> bool:
    """Return whether one bulges to the left and the other to the right: one of the images may be
    mirrored."""
    return {before.side, now.side} == {"left", "right"}
