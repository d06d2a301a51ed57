"""The answer about one image: what is stored, sent as JSON and drawn as a page."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from models.scan import Format
from service.review import Review
from service.types import BaseName, Outcome, RunnerName

Probability = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Version = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{8,64}$")]

INTENDED_USE: Final = "research"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Vote(_Part):
    """What one base model said."""

    probability: Probability = Field(description="The model's own calibrated probability.")
    contribution: float | None = Field(
        description="Logit units that it added to the stack's answer; null when the stack did not "
        "use it."
    )
    version: Version


class Quality(_Part):
    accepted: bool
    reasons: tuple[str, ...] = Field(description="Codes of what speaks against judging the image.")
    findings: tuple[str, ...] = Field(
        default=(),
        description="Codes of what was noticed and does not keep the image from being judged.",
    )


class Image(_Part):
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="Of the file as it was sent.")
    format: Format
    width: int
    height: int


class Prediction(_Part):
    """One judged image. Research use only: not a diagnosis, not for rule-out."""

    id: UUID
    created_at: datetime
    outcome: Outcome
    probability: Probability | None = Field(
        description="Calibrated probability of osteoporosis; null when the image was refused."
    )
    threshold: Probability | None
    band: tuple[Probability, Probability] | None = Field(
        description="Between these two the outcome is indeterminate."
    )
    degraded: bool = Field(description="True when a model that belongs to the answer is missing.")
    missing: tuple[RunnerName, ...]
    models: dict[BaseName, Vote]
    quality: Quality
    image: Image
    recipe: str
    version: Version | None = Field(
        description="Of the model that judged: the stack, or in its absence one base model."
    )
    intended_use: Literal["research"] = INTENDED_USE
    timings_ms: dict[str, float]
    review: Review | None = Field(
        default=None,
        description="A clinician's last word; the answer is preliminary while it is null.",
    )

    def document(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


def now() -> datetime:
    """The present in UTC, to the millisecond: what every store and JSON reader can keep."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


EXAMPLE: Final[dict[str, Any]] = {
    "id": "7f9c24e8-3b12-4c5d-9a77-2f1e0d6b8c43",
    "created_at": "2026-02-03T09:41:07.215000Z",
    "outcome": "osteoporosis",
    "probability": 0.83,
    "threshold": 0.41,
    "band": [0.35, 0.48],
    "degraded": False,
    "missing": [],
    "models": {
        "cnn": {"probability": 0.79, "contribution": 0.61, "version": "sha256:" + "1c" * 32},
        "vgg16": {"probability": 0.88, "contribution": 0.94, "version": "sha256:" + "5e" * 32},
        "resnet": {"probability": 0.71, "contribution": 0.33, "version": "sha256:" + "a4" * 32},
    },
    "quality": {"accepted": True, "reasons": [], "findings": []},
    "image": {"sha256": "9b" * 32, "format": "dicom", "width": 312, "height": 389},
    "recipe": "dxa-224/1",
    "version": "sha256:" + "d7" * 32,
    "intended_use": "research",
    "timings_ms": {
        "read": 6.1,
        "prepare": 3.2,
        "cnn": 14.8,
        "vgg16": 38.5,
        "resnet": 21.7,
        "stack": 4.4,
        "total": 53.9,
    },
    "review": None,
}
"""A full answer, shown in the API documentation; a test holds it against real ones."""
