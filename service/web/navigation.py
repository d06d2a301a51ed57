"""The main navigation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from service.identity.actor import Actor
from service.identity.rules import may
from service.language.locale import N_, _

NAVIGATION: Final[Mapping[str, str]] = {
    "/": N_("Analyse"),
    "/bulk": N_("Bulk"),
    "/history": N_("Worklist"),
    "/treatment": N_("Treatment"),
    "/faq": N_("FAQ"),
    "/models": N_("Models"),
    "/about": N_("About"),
    "/api/docs": N_("API"),
    "/people": N_("People"),
    "/keys": N_("Keys"),
    "/queue": N_("Queue"),
    "/usage": N_("Use"),
    "/retention": N_("Retention"),
    "/audit": N_("Trail"),
}
"""Labels by address."""

ACCOUNTS: Final = frozenset({"/people", "/keys"})
"""Of no use where nobody signs in."""

_ASKED: Final[Mapping[str, tuple[str, str]]] = {"/": ("POST", "/")}
"""What an item is good for, where that is more than to be looked at."""


@dataclass(frozen=True, kw_only=True)
class NavItem:
    """One item. ``current`` is an ``aria-current`` value or empty."""

    address: str
    label: str
    current: str


def navigation(path: str, section: str, actor: Actor | None) -> tuple[NavItem, ...]:
    """Return the items as a page at ``path`` shows them, which belongs under ``section``.

    Those that ``actor`` may ask for; all, where it is not known who asks.
    """
    return tuple(
        NavItem(address=at, label=_(label), current=_current(at, path, section))
        for at, label in NAVIGATION.items()
        if actor is None or _shown(at, actor)
    )


def _shown(address: str, actor: Actor) -> bool:
    if address in ACCOUNTS and actor.is_anybody:
        return False
    return may(actor, *_ASKED.get(address, ("GET", address)))


def _current(address: str, path: str, section: str) -> str:
    if address == path:
        return "page"
    return "true" if address == section else ""
