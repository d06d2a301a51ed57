"""A batch: many images sent at once, judged one after the other, its answers kept line by line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from service.predictions.schemas import Prediction

BatchState = Literal["running", "finished", "cancelled", "interrupted"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Batch(_Part):
    """How far a batch has come."""

    id: UUID
    created_at: datetime
    state: BatchState = Field(
        description="`interrupted`: the front that worked on it has ended; send what remains again."
    )
    total: int = Field(description="Images that were sent.")
    finished: int = Field(description="Images with a line in the results.")
    remaining: tuple[int, ...] = Field(
        description="Positions, from 0, of the images without a line yet."
    )


class Line(_Part):
    """One finished image: either ``prediction`` or ``problem`` is there."""

    line: int = Field(description="Counts from 1 in the order of finishing; resume after it.")
    index: int = Field(description="Position of the image among those sent, from 0.")
    prediction: Prediction | None
    problem: dict[str, Any] | None = Field(description="As a request of its own would answer.")
    unreadable: bool = Field(default=False, exclude=True)
    """There is a prediction, which cannot be understood here."""


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A batch in the list of whoever sent it."""

    id: UUID
    created_at: datetime
    state: BatchState
    total: int
    finished: int
    failed: int
    """Images with a line and without a result."""


@dataclass(frozen=True)
class Outcome:
    """What became of the image at position ``item``, before it has a line."""

    item: int
    prediction_id: UUID | None = None
    problem: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Checked:
    """A line with what DICOM calls its study and its image, None where nobody has said."""

    line: Line
    study_uid: str | None
    image_uid: str | None


class Closing(_Part):
    """The last line of every answer with results."""

    batch: Batch
