"""What happens to predictions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from service.events import Event
from service.predictions.schemas import DeletionReason, Prediction
from service.types import BaseName


@dataclass(frozen=True, kw_only=True)
class PredictionMade(Event):
    prediction: Prediction


@dataclass(frozen=True, kw_only=True)
class PredictionDeleted(Event):
    prediction_id: UUID
    reason: DeletionReason | None


@dataclass(frozen=True, kw_only=True)
class ListExported(Event):
    """So many ``results`` leave as a table; of one batch where it is named."""

    form: Literal["csv", "xlsx"]
    results: int
    batch_id: UUID | None


@dataclass(frozen=True, kw_only=True)
class ImageRemoved(Event):
    """What of a result shows the body is gone, pixels and heat maps; the result stays."""

    prediction_id: UUID
    reason: DeletionReason


@dataclass(frozen=True, kw_only=True)
class HeatMapMade(Event):
    prediction_id: UUID
    model: BaseName
