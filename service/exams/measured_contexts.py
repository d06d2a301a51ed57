"""What scanners measured, as the table beside a result: never mixed with what models say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from service.exams.form import LABELS, readable
from service.exams.measurements import LeftOut, Measured, Measurement, Quantity, Reason, latest
from service.exams.parts import VERTEBRAE
from service.exams.schemas import NOTHING, Exam
from service.language.formats import listing, number
from service.language.locale import N_, _

_REGIONS: Final[Mapping[str, str]] = {
    **{name: name for name in VERTEBRAE},
    "lumbar_spine": N_("Lumbar spine"),
    "femoral_neck": N_("Femoral neck"),
    "total_hip": N_("Total hip"),
    "one_third_radius": N_("One-third radius"),
}
_SIDES: Final = {"left": N_("left"), "right": N_("right")}
_QUANTITIES: Final[Mapping[Quantity, str]] = {
    "bmd_g_cm2": N_("BMD"),
    "t_score": N_("T-score"),
    "z_score": N_("Z-score"),
}
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
    none = "–"
    return MeasuredRow(
        region=_region(one),
        bmd=none if one.bmd_g_cm2 is None else number(one.bmd_g_cm2, 3),
        t_score=none if one.t_score is None else number(one.t_score, 1),
        z_score=none if one.z_score is None else number(one.z_score, 1),
    )


def _region(one: Measurement | LeftOut) -> str:
    said = _(_REGIONS[one.region])
    levels = one.vertebrae if isinstance(one, Measurement) else None
    if levels is not None and len(levels) > 1:
        said = f"{said}, {listing(levels)}"
    return f"{said}, {_(_SIDES[one.side])}" if one.side else said


def named(one: Measured) -> str:
    """Return what kind of object told something, and of which machine."""
    scanner = one.scanner
    machine = f"{scanner.vendor} {scanner.serial}" if scanner else _("unknown scanner")
    return f"{one.source} · {machine}" + (f" · {one.model}" if one.model else "")


def _left_out(one: LeftOut) -> str:
    return f"{_region(one)}, {_(_QUANTITIES[one.quantity])}: {_(_REASONS[one.reason])}"


def _conflicts(exam: Exam) -> Iterator[str]:
    for one in exam.conflicts:
        yield _(
            "%(fact)s: kept is %(kept)s, the scanner says %(measured)s.",
            fact=_label(one.field),
            kept=_written(one.field, one.kept),
            measured=_written(one.field, one.measured),
        )


def _label(name: str) -> str:
    return _("Scanner") if name == "scanner" else _(LABELS[name])


def _written(name: str, value: Any) -> str:
    if name == "scanner":
        return f"{value['vendor']} {value['serial']}"
    read = NOTHING.model_copy(update={name: tuple(value) if isinstance(value, list) else value})
    return readable(read)[name]
