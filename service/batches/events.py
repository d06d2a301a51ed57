"""What happens to batches."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from service.batches.schemas import BatchState
from service.events import Event


@dataclass(frozen=True, kw_only=True)
class BatchStarted(Event):
    batch_id: UUID
    total: int


@dataclass(frozen=True, kw_only=True)
class BatchLinesAdded(Event):
    """Images of a batch have their lines: each a prediction, or the reason why there is none."""

    batch_id: UUID
    first: int
    """Number of the first line; the others follow it."""
    prediction_ids: tuple[UUID | None, ...]
    """Of each line."""


@dataclass(frozen=True, kw_only=True)
class BatchEnded(Event):
    """It is not running any more: finished, cancelled or interrupted."""

    batch_id: UUID
    state: BatchState
