"""What is done with results beside reading them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from service.events import Event
from service.worklist.schemas import RetirementReason


@dataclass(frozen=True, kw_only=True)
class ResultFlagged(Event):
    prediction_id: UUID
    flagged: bool


@dataclass(frozen=True, kw_only=True)
class ResultAssigned(Event):
    """``person_id`` is to read it; None: whoever comes first."""

    prediction_id: UUID
    person_id: UUID | None


@dataclass(frozen=True, kw_only=True)
class ResultRetired(Event):
    prediction_id: UUID
    reason: RetirementReason


@dataclass(frozen=True, kw_only=True)
class ResultRestored(Event):
    """It was retired, and is listed again."""

    prediction_id: UUID
