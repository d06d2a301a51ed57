"""What people decide about the ledger, and of cards: all of it goes into the trail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from service.events import Event
from service.identity.events import ProviderReason

OwnReason = Literal["record_unknown", "launch_malformed", "no_patient", "patient_unreadable"]
LaunchReason = ProviderReason | OwnReason
"""Why a launch from a record comes to nothing. The trail and metrics have these: they stay."""

Found = Literal["patient", "result", "none", "ambiguous"]
"""What is there of the patient whose results were to be opened."""


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
class Launched(Event):
    """Somebody has opened a patient's results out of a record; ``id``: ours of what they are led
    to."""

    record: str
    found: Found
    id: UUID | None


@dataclass(frozen=True, kw_only=True)
class LaunchRefused(Event):
    """``record``: its name in the file of records, where it is one of them."""

    record: str | None
    reason: LaunchReason
    person_id: UUID | None


@dataclass(frozen=True, kw_only=True)
class CardAnswered(Event):
    """Somebody has accepted or overridden a card, as a record tells."""

    card: UUID
    service: str
    outcome: Literal["accepted", "overridden"]
