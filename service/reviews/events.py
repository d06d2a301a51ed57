"""What happens to reviews."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from service.events import Event
from service.reviews.schemas import Review


@dataclass(frozen=True, kw_only=True)
class ReviewAdded(Event):
    prediction_id: UUID
    review: Review
