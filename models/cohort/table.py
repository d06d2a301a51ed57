"""A site's own visits from a CSV file: one row a visit, every bad row named at once.

Columns, in any order, separated by commas, UTF-8::

    patient    a pseudonym, the same in all rows of one patient; never a name
    sex        female or male
    date       YYYY-MM-DD
    age        years at the visit
    bmd        of the spine, g/cm²
    scanner    one machine's name, such as its vendor and serial number
    vertebrae  those the BMD is of: L1 L2 L3 L4, or fewer, with blanks between
    precision  the facility's for L1–L4, RMS standard deviation, g/cm²
    weight     kilograms; may be empty
    drug       bisphosphonate, denosumab, parathyroid or romosozumab; empty: none
    since      YYYY-MM-DD, when that drug was begun; may be empty
    fracture   yes where a fragility fracture happened since the visit before; else empty

The last four columns may be missing altogether.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final, get_args

from models.cohort.patient import Patient
from models.progression.visit import CLASSES, Sex, Visit

NEEDED: Final = ("patient", "sex", "date", "age", "bmd", "scanner", "vertebrae", "precision")
MAYBE: Final = ("weight", "drug", "since", "fracture")
LEVELS: Final = ("L1", "L2", "L3", "L4")
RANGES: Final[Mapping[str, tuple[float, float]]] = {
    "age": (18, 120), "bmd": (0.422, 1.901), "precision": (0.001, 0.1), "weight": (25, 300),
}  # fmt: skip
"""What is taken (docs/domain.md §1.5); anything else is a slip of the keyboard."""


class VisitsError(ValueError):
    """Rows cannot be taken; the message names each with what came and what is allowed."""


def read(path: Path) -> tuple[Patient, ...]:
    """Return the patients of the file, visits in order of time. Raises :class:`VisitsError`."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        missing = [name for name in NEEDED if name not in (rows.fieldnames or ())]
        if missing:
            raise VisitsError(f"{path.name} has no column {', '.join(missing)}")
        faults: list[str] = []
        found: dict[str, list[tuple[Sex, float, Visit]]] = {}
        for row in rows:
            said = list(_faults(row))
            if said:
                faults += [f"line {rows.line_num}: {one}" for one in said]
                continue
            found.setdefault(row["patient"].strip(), []).append(_visit(row))
    faults += _together(found)
    if faults:
        raise VisitsError(f"{path.name} cannot be taken:\n" + "\n".join(faults))
    return tuple(_patient(visits) for visits in found.values())


def _faults(row: Mapping[str, str | None]) -> Iterator[str]:
    """Yield what is wrong with a row. What came is quoted, but for a patient's pseudonym."""
    for name in (*NEEDED, *MAYBE):
        text = (row.get(name) or "").strip()
        if not text:
            if name in NEEDED:
                yield f"{name} is empty"
            continue
        allowed = _ALLOWED.get(name)
        if allowed is not None and not _can(allowed[0], text):
            yield f"{name} is {text!r}, allowed is {allowed[1]}"


def _number(name: str) -> Callable[[str], Any]:
    low, high = RANGES[name]

    def check(text: str) -> float:
        value = float(text)
        if not low <= value <= high:
            raise ValueError(text)
        return value

    return check


def _levels(text: str) -> tuple[str, ...]:
    names = text.split()
    if len(set(names)) != len(names) or not set(names) <= set(LEVELS) or len(names) < 2:
        raise ValueError(text)
    return tuple(name for name in LEVELS if name in names)


def _one_of(*allowed: str) -> Callable[[str], Any]:
    def check(text: str) -> str:
        if text not in allowed:
            raise ValueError(text)
        return text

    return check


_DAY: Final = (date.fromisoformat, "a date as YYYY-MM-DD")
_ALLOWED: Final[Mapping[str, tuple[Callable[[str], Any], str]]] = {
    "sex": (_one_of(*get_args(Sex)), "female or male"),
    "date": _DAY,
    "since": _DAY,
    "vertebrae": (_levels, "two to four of L1 L2 L3 L4, each once"),
    "drug": (_one_of(*CLASSES), "one of " + ", ".join(CLASSES)),
    "fracture": (_one_of("yes"), "yes, or nothing"),
    **{
        name: (_number(name), f"a number from {low} to {high}")
        for name, (low, high) in RANGES.items()
    },
}


def _can(take: Callable[[str], Any], text: str) -> bool:
    try:
        take(text)
    except ValueError:
        return False
    return True


def _visit(row: Mapping[str, str | None]) -> tuple[Sex, float, Visit]:
    told = {name: (row.get(name) or "").strip() for name in (*NEEDED, *MAYBE)}
    known = {name: _ALLOWED[name][0](text) for name, text in told.items()
             if text and name in _ALLOWED}  # fmt: skip
    visit = Visit(
        on=known["date"],
        age=known["age"],
        bmd=known["bmd"],
        machine=told["scanner"],
        vertebrae=known["vertebrae"],
        weight=known.get("weight"),
        drug=known.get("drug"),
        since=known.get("since"),
        fracture="fracture" in known,
    )
    return known["sex"], known["precision"], visit


def _together(found: Mapping[str, list[tuple[Sex, float, Visit]]]) -> Iterator[str]:
    """Yield what is wrong between rows of one patient, who is told by number."""
    for number, visits in enumerate(found.values(), start=1):
        if len({sex for sex, _, _ in visits}) > 1:
            yield f"patient {number} of the file is of both sexes"
        days = [(visit.on, visit.machine) for _, _, visit in visits]
        if len(set(days)) < len(days):
            yield f"patient {number} of the file has two rows of one day and scanner"


def _patient(visits: list[tuple[Sex, float, Visit]]) -> Patient:
    ordered = sorted((visit for _, _, visit in visits), key=lambda visit: visit.on)
    return Patient(sex=visits[0][0], precision=visits[0][1], visits=tuple(ordered))
