"""What happens to legal holds."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from service.events import Event
from service.holds.schemas import ObjectKind


@dataclass(frozen=True, kw_only=True)
class HoldPlaced(Event):
    hold_id: UUID
    object_kind: ObjectKind
    object_id: UUID


@dataclass(frozen=True, kw_only=True)
class HoldReleased(HoldPlaced):
    pass
