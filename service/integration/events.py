"""What people decide about the ledger, and of cards: all of it goes into the trail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from service.events import Event


@dataclass(frozen=True, kw_only=True)
class LedgerDecided(Event):
    """Something that was dead or in quarantine is tried again, or given up.

    The reason stands in the ledger.
    """

    id: UUID
    what: Literal["case", "object", "delivery", "commitment", "pull"]
    act: Literal["restart", "discard"]


@dataclass(frozen=True, kw_only=True)
class PullAsked(Event):
    """Somebody has an archive asked for studies; for which stands in the ledger."""

    id: UUID
    archive: str


@dataclass(frozen=True, kw_only=True)
class WorkitemChanged(Event):
    """A program has made a work item, or done something with it."""

    id: UUID
    act: Literal["create", "update", "claim", "complete", "cancel"]


@dataclass(frozen=True, kw_only=True)
class OrderReceived(Event):
    """An order for imaging was placed, changed or cancelled."""

    kind: str
    cancelled: bool


@dataclass(frozen=True, kw_only=True)
class CardAnswered(Event):
    """Somebody has accepted or overridden a card, as a record tells."""

    card: UUID
    service: str
    outcome: Literal["accepted", "overridden"]
