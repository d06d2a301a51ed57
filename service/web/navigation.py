"""The main navigation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from service.language.locale import N_, _

NAVIGATION: Final[Mapping[str, str]] = {
    "/": N_("Analyse"),
    "/bulk": N_("Bulk"),
    "/history": N_("History"),
    "/treatment": N_("Treatment"),
    "/faq": N_("FAQ"),
    "/models": N_("Models"),
    "/about": N_("About"),
    "/api/docs": N_("API"),
}
"""Labels by address."""


@dataclass(frozen=True, kw_only=True)
class NavItem:
    """One item. ``current`` is an ``aria-current`` value or empty."""

    address: str
    label: str
    current: str


def navigation(path: str, section: str) -> tuple[NavItem, ...]:
    """Return the items as a page at ``path`` shows them, which belongs under ``section``."""
    return tuple(
        NavItem(address=at, label=_(label), current=_current(at, path, section))
        for at, label in NAVIGATION.items()
    )


def _current(address: str, path: str, section: str) -> str:
    if address == path:
        return "page"
    return "true" if address == section else ""
