"""Options of a choice in a form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from service.language.locale import _


@dataclass(frozen=True, kw_only=True)
class Option:
    value: str
    label: str
    selected: bool


def options(labels: Mapping[str, str], chosen: str) -> tuple[Option, ...]:
    """Return ``labels`` (by value, marked for translation) with the one of value ``chosen``."""
    return tuple(
        Option(value=value, label=_(label), selected=value == chosen)
        for value, label in labels.items()
    )
