"""What happens to points of a lateral image."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from service.events import Event
from service.medicine.morphometry.kept import KeptPoints


@dataclass(frozen=True, kw_only=True)
class PointsKept(Event):
    """A reader has kept points, or removed them; ``kept`` counts from now on."""

    prediction_id: UUID
    kept: KeptPoints
