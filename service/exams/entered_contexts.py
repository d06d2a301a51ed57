"""Numbers that somebody entered, as the table beside a result: by whom, and no scanner's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from service.exams.measurements import QUANTITIES, SPINE, Quantity, Region, Side
from service.exams.parts import Vertebra
from service.exams.provenance import Entry
from service.exams.regions import side_of
from service.exams.schemas import Exam
from service.exams.wording import region, written
from service.language.formats import day, zone


@dataclass(frozen=True, kw_only=True)
class EnteredRow:
    region: str
    bmd: str
    t_score: str
    z_score: str
    by: str
    """Who entered it and when; empty where that is not known."""


@dataclass(frozen=True, kw_only=True)
class EnteredTable:
    """What ``result/entered.html`` shows: ``exam.entered`` in its context."""

    rows: tuple[EnteredRow, ...]
    is_of_more: bool
    """Whether there is more than BMD and T-score of the spine, which stand among the facts."""

    @classmethod
    def of(cls, exam: Exam) -> EnteredTable | None:
        known = {one.field: one for one in exam.entered_by}
        rows = tuple(_row(place, numbers, known) for place, numbers in _numbers(exam))
        more = exam.z_score is not None or exam.regions is not None
        return cls(rows=rows, is_of_more=more) if rows else None


@dataclass(frozen=True, kw_only=True)
class _Place:
    region: Region
    vertebrae: tuple[Vertebra, ...] | None = None
    side: Side | None = None
    prefix: str = ""


def _numbers(exam: Exam) -> Iterator[tuple[_Place, dict[Quantity, float | None]]]:
    spine = {
        name: None if name in exam.from_scanner else getattr(exam, name) for name in QUANTITIES
    }
    if any(value is not None for value in spine.values()):
        yield _Place(region=SPINE, vertebrae=exam.vertebrae), spine
    for name, one in exam.regions.given.items() if exam.regions else ():
        place = _Place(region=name, side=side_of(one), prefix=f"regions.{name}.")
        yield place, {quantity: getattr(one, quantity) for quantity in QUANTITIES}


def _row(
    place: _Place, numbers: Mapping[Quantity, float | None], known: Mapping[str, Entry]
) -> EnteredRow:
    entries = [known[at] for at in (place.prefix + name for name in numbers) if at in known]
    return EnteredRow(
        region=region(place.region, place.vertebrae, place.side),
        bmd=written("bmd_g_cm2", numbers["bmd_g_cm2"]),
        t_score=written("t_score", numbers["t_score"]),
        z_score=written("z_score", numbers["z_score"]),
        by="; ".join(dict.fromkeys(_who(one) for one in entries)),
    )


def _who(entry: Entry) -> str:
    when = day(entry.at.astimezone(zone()))
    return f"{entry.by}, {when}" if entry.by else when
