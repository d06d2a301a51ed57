"""Who entered a number, and when: what tells a person's number from a scanner's."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from pydantic import Field

from service.exams.measurements import QUANTITIES
from service.exams.parts import Part

FIELD: Final = "entered_by"
"""Where it is kept, beside the facts."""


class Entry(Part):
    """One number that somebody entered."""

    field: str = Field(description="As faults name it.", examples=["regions.L1.t_score"])
    value: float
    by: str | None = Field(None, description="Their name then; null where nobody signs in.")
    at: datetime


def numbers(facts: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers in the JSON of ``facts``, by the fields' names."""
    found: dict[str, Any] = {name: facts.get(name) for name in QUANTITIES}
    for region, one in (facts.get("regions") or {}).items():
        found |= {f"regions.{region}.{name}": one.get(name) for name in QUANTITIES}
    return {name: value for name, value in found.items() if value is not None}


def entries(
    before: Mapping[str, Any],
    former: Iterable[Entry],
    facts: Mapping[str, Any],
    from_scanner: Collection[str],
    *,
    by: str | None,
    at: datetime,
) -> tuple[Entry, ...]:
    """Return who entered the numbers in ``facts``, where ``by`` puts them in place of ``before``.

    A number that stays is theirs who entered it; whose it is may not be known. Those that are
    ``from_scanner`` nobody entered.
    """
    was, known = numbers(before), {one.field: one for one in former}
    found: list[Entry] = []
    for field, value in numbers(facts).items():
        if field in from_scanner:
            continue
        if was.get(field) != value:
            found.append(Entry(field=field, value=value, by=by, at=at))
        elif field in known and known[field].value == value:
            found.append(known[field])
    return tuple(found)
