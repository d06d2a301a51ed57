"""Settings of retention."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final, Literal, get_args

from pydantic import Field, field_validator

from service.types import SettingsGroup

Kind = Literal["images", "results", "signed", "audit"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
"""Pixels and heat maps; results that nobody signed; signed ones with their reviews; the trail."""

EVERY: Final = "*"
"""In place of a site's code: all that have no line of their own for a kind."""

MOST_DAYS: Final = 36_525

Days = Mapping[Kind, int]


class RetentionSettings(SettingsGroup):
    """How long what is kept."""

    retention: str = Field(
        "",
        description="For how many days what is kept, as JSON by site and kind: "
        '{"*": {"images": 730, "signed": 10950, "audit": 2190}, "north": {"images": 365}}. Kinds '
        "are images (pixels and heat maps), results (that nobody has signed), signed (with their "
        'reviews) and, under "*" alone, audit. What is not named is kept.',
    )

    @field_validator("retention")
    @classmethod
    def _understood(cls, value: str) -> str:
        _read(value)
        return value

    def days(self, site: str) -> Days:
        """Return for how many days each kind is kept at ``site``; of those absent all is kept."""
        found = _read(self.retention)
        return {**found.get(EVERY, {}), **found.get(site, {})}

    @property
    def is_set(self) -> bool:
        """Whether anything is ever removed."""
        return any(_read(self.retention).values())


def _read(text: str) -> dict[str, dict[Kind, int]]:
    """Return the table in ``text``. Raises ValueError, which says what is allowed."""
    if not text.strip():
        return {}
    try:
        found = json.loads(text)
    except ValueError:
        raise ValueError("no JSON") from None
    if not isinstance(found, dict) or not all(isinstance(one, dict) for one in found.values()):
        raise ValueError('an object of objects is allowed, as {"*": {"images": 730}}')
    return {site: dict(_line(site, kinds)) for site, kinds in found.items()}


def _line(site: str, kinds: dict[str, object]) -> list[tuple[Kind, int]]:
    line = []
    for name, days in kinds.items():
        kind = next((one for one in KINDS if one == name), None)
        if kind is None:
            raise ValueError(f"{name} is none of {', '.join(KINDS)}")
        if kind == "audit" and site != EVERY:
            raise ValueError('the trail is one of all sites: audit is allowed under "*" alone')
        if not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= MOST_DAYS:
            raise ValueError(f"{name}: 1 to {MOST_DAYS} days are allowed")
        line.append((kind, days))
    return line
