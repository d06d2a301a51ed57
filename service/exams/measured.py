"""What a densitometer measured, as it says itself: of which region, by which machine, from what.

Nothing of it is computed here. Numbers have the decimals of a printed report: three of a BMD, one
of a score. What cannot be believed is left out by name: ``negative``, ``range``, and the reasons of
:mod:`service.exams.densitometer.report`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, Final

from pydantic import ValidationError

from service.exams import dicom
from service.exams.measurements import (
    GROUP,
    MOST_BMD,
    REGIONS,
    SPINE,
    LeftOut,
    Measured,
    Measurement,
    Quantity,
    Reason,
    facts,
)
from service.exams.schemas import BMD_RANGE, NOTHING, ExamFacts, believed
from service.medicine.densitometry import SCORE_RANGE

_STEPS: Final[Mapping[Quantity, Decimal]] = {
    "bmd_g_cm2": Decimal("0.001"), "t_score": Decimal("0.1"), "z_score": Decimal("0.1"),
}  # fmt: skip


def understood(told: Mapping[str, Any]) -> Measured | None:
    """Return what a decoder's worker read, as far as it is to be believed; None where nothing is.

    ``told`` is what :mod:`service.exams.densitometer.reading` returns.
    """
    numbers = told.get("numbers") or ()
    if not numbers:
        return None
    known = believed(dicom.told(told["texts"], "exam"))
    values, left_out = _judged(numbers)
    try:
        return Measured(
            source=told["kind"],
            scanner=known.scanner,
            model=_short(told["texts"].get("ManufacturerModelName")),
            acquired_on=known.acquired_on.isoformat() if known.acquired_on else None,
            values=tuple(values),
            left_out=tuple(left_out),
        )
    except ValidationError:
        return None


def _short(text: str | None) -> str | None:
    return text if text is not None and 0 < len(text) <= 32 and text.isprintable() else None


def _judged(numbers: Iterable[Mapping[str, Any]]) -> tuple[list[Measurement], list[LeftOut]]:
    values: dict[tuple[Any, ...], dict[str, Any]] = {}
    left_out: list[LeftOut] = []
    for one in numbers:
        where = {"region": one["region"], "side": one["side"]}
        value, reason = _believed(one)
        if reason is not None:
            left_out.append(LeftOut(**where, quantity=one["quantity"], reason=reason))
            continue
        levels = None if one["vertebrae"] is None else tuple(one["vertebrae"])
        key = (one["region"], levels, one["side"])
        row = values.setdefault(key, {**where, "vertebrae": levels})
        row[one["quantity"]] = value
    return [Measurement(**row) for row in sorted(values.values(), key=_place)], left_out


def _place(row: Mapping[str, Any]) -> tuple[int, str, int]:
    return REGIONS.index(row["region"]), row["side"] or "", -len(row["vertebrae"] or ())


def _believed(one: Mapping[str, Any]) -> tuple[float | None, Reason | None]:
    if "reason" in one:
        return None, one["reason"]
    quantity: Quantity = one["quantity"]
    try:
        exact = Decimal(one["value"])
        value = float(exact.quantize(_STEPS[quantity], ROUND_HALF_UP))
    except InvalidOperation:
        return None, "range"
    if quantity != "bmd_g_cm2":
        low, high = SCORE_RANGE
        return (value, None) if low <= value <= high else (None, "range")
    if exact < 0:
        return None, "negative"
    low, high = BMD_RANGE if one["region"] == SPINE else (0.001, MOST_BMD)
    return (value, None) if low <= value <= high else (None, "range")


def filled(
    kept: ExamFacts, from_scanner: Iterable[str], reports: Iterable[Measured]
) -> tuple[ExamFacts, tuple[str, ...]]:
    """Return the facts with those of ``reports`` in them, and which are a scanner's.

    What a person has entered stays: only what nobody entered, or what is ``from_scanner`` already,
    is taken from the last report that tells of the spine.
    """
    theirs = set(from_scanner)
    report = next((one for one in reversed(tuple(reports)) if facts(one)), None)
    if report is None:
        return kept, tuple(sorted(theirs))
    told = facts(report)
    typed = {
        name: it for name in GROUP if (it := getattr(kept, name)) is not None and name not in theirs
    }
    machine = kept.scanner
    elsewhere = (
        machine is not None
        and report.scanner is not None
        and machine.identity != report.scanner.identity
    )
    if elsewhere or any(told.get(name) != it for name, it in typed.items()):
        return kept, tuple(sorted(theirs))
    new: dict[str, Any] = {name: told.get(name) for name in GROUP if name in told or name in theirs}
    if machine is None and report.scanner is not None:
        new["scanner"] = report.scanner
    taken = {name for name in new if name not in typed and new[name] is not None}
    known = {name: getattr(kept, name) for name in ExamFacts.model_fields}
    return NOTHING.model_copy(update={**known, **new}), tuple(sorted((theirs - set(new)) | taken))
