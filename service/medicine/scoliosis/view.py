"""Cards of the curve: ``scoliosis`` in a result's page, ``curves`` in a patient's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from service.language.formats import day
from service.language.locale import _
from service.medicine.scoliosis import wording
from service.medicine.scoliosis.screening import Screening, Standing, screen
from service.medicine.scoliosis.trend import Point
from service.medicine.vertebrae.schemas import Vertebrae


@dataclass(frozen=True, kw_only=True)
class Next:
    text: str
    source: str


@dataclass(frozen=True, kw_only=True)
class CurveCard:
    """``angle`` is empty where none is told; ``said`` says then why."""

    angle: str
    said: str
    source: str
    standing: Standing | None
    following: tuple[Next, ...]

    @classmethod
    def of(cls, found: Vertebrae | None) -> CurveCard | None:
        if found is None:
            return None
        told = screen(found)
        if not isinstance(told, Screening):
            return cls(angle="", said=wording.untold(told), source="", standing=None, following=())
        return cls(
            angle=wording.angle(told),
            said=wording.standing(told),
            source=_(wording.LIMIT_SOURCE),
            standing=told.standing,
            following=tuple(Next(text=one, source=by) for one, by in wording.following(told)),
        )


@dataclass(frozen=True, kw_only=True)
class CurveRow:
    id: str
    date: str
    date_iso: str | None
    angle: str
    change: str


def rows(points: Sequence[Point]) -> tuple[CurveRow, ...]:
    """Return the table of a patient's exams; none where no exam has an angle."""
    if not any(isinstance(one.found, Screening) for one in points):
        return ()
    return tuple(_row(one) for one in points)


def _row(point: Point) -> CurveRow:
    found, on = point.found, point.acquired_on
    change = ""
    if point.change is not None and point.earlier is not None:
        change = wording.changed(point.change, point.difference, day(point.earlier))
    return CurveRow(
        id=str(point.prediction_id),
        date=_("unknown date") if on is None else day(on),
        date_iso=None if on is None else on.isoformat(),
        angle=wording.angle(found) if isinstance(found, Screening) else wording.untold(found),
        change=change,
    )
