"""What scanners measured, as the table beside a result: never mixed with what models say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from service.exams.form import label, readable
from service.exams.measurements import LeftOut, Measured, Measurement, Reason, latest
from service.exams.schemas import NOTHING, Exam
from service.exams.wording import QUANTITIES, region, written
from service.language.formats import listing
from service.language.locale import N_, _

_REASONS: Final[Mapping[Reason, str]] = {
    "ambiguous": N_("told more than once, and not alike"),
    "negative": N_("negative"),
    "not_a_number": N_("no number"),
    "range": N_("outside of what is plausible"),
    "unit": N_("in another unit"),
}


@dataclass(frozen=True, kw_only=True)
class MeasuredRow:
    region: str
    bmd: str
    t_score: str
    z_score: str


@dataclass(frozen=True, kw_only=True)
class MeasuredTable:
    """What ``result/measured.html`` shows: ``exam.measured`` in its context."""

    rows: tuple[MeasuredRow, ...]
    sources: tuple[str, ...]
    conflicts: tuple[str, ...]
    """Each says a fact as it is kept, and as it was measured."""
    left_out: tuple[str, ...]
    taken: str
    """The facts that nobody entered and that are taken from here."""

    @classmethod
    def of(cls, exam: Exam) -> MeasuredTable | None:
        if not exam.measured:
            return None
        return cls(
            rows=tuple(_row(one) for one in latest(exam.measured).values()),
            sources=tuple(dict.fromkeys(named(one) for one in exam.measured)),
            conflicts=tuple(_conflicts(exam)),
            left_out=tuple(
                dict.fromkeys(_left_out(one) for each in exam.measured for one in each.left_out)
            ),
            taken=listing(_label(name) for name in exam.from_scanner),
        )


def _row(one: Measurement) -> MeasuredRow:
    return MeasuredRow(
        region=region(one.region, one.vertebrae, one.side),
        bmd=written("bmd_g_cm2", one.bmd_g_cm2),
        t_score=written("t_score", one.t_score),
        z_score=written("z_score", one.z_score),
    )


def named(one: Measured) -> str:
    """Return what kind of object told something, and of which machine."""
    scanner = one.scanner
    machine = f"{scanner.vendor} {scanner.serial}" if scanner else _("unknown scanner")
    return f"{one.source} · {machine}" + (f" · {one.model}" if one.model else "")


def _left_out(one: LeftOut) -> str:
    place = region(one.region, None, one.side)
    return f"{place}, {_(QUANTITIES[one.quantity])}: {_(_REASONS[one.reason])}"


def _conflicts(exam: Exam) -> Iterator[str]:
    for one in exam.conflicts:
        yield _(
            "%(fact)s: kept is %(kept)s, the scanner says %(measured)s.",
            fact=_label(one.field),
            kept=_written(one.field, one.kept),
            measured=_written(one.field, one.measured),
        )


def _label(name: str) -> str:
    return _("Scanner") if name == "scanner" else label(name.replace(".", "_"))


def _written(name: str, value: Any) -> str:
    if name == "scanner":
        return f"{value['vendor']} {value['serial']}"
    *of, quantity = name.split(".")
    if of:
        return written(quantity, value)
    read = NOTHING.model_copy(update={name: tuple(value) if isinstance(value, list) else value})
    return readable(read)[name]
