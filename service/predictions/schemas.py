"""The answer about one image: what is stored, sent as JSON and drawn as a page."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from models.image import recipe
from models.image.scan import Format
from models.vertebrae.findings import Code
from models.vertebrae.geometry import LevelName
from protocol.answers import Measurement, Number, Probability, Version
from service.reviews.schemas import Review
from service.types import BaseName, Outcome, PartName

Point = tuple[Number, Number]

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
    measurements: tuple[Measurement, ...] | None = Field(
        None,
        description="What `bone` measured, the weightiest first; null for the others, which say "
        "with a heat map where they looked.",
    )


class Quality(_Part):
    accepted: bool
    reasons: tuple[str, ...] = Field(description="Codes of what speaks against judging the image.")
    findings: tuple[str, ...] = Field(
        default=(),
        description="Codes of what was noticed and does not keep the image from being judged.",
    )


class Level(_Part):
    """One vertebra, in pixels of the image as it was sent."""

    level: LevelName
    outline: tuple[Point, ...]
    centre: Point
    height: Number = Field(description="Mean distance of the end plates, pixels.")
    width: Number = Field(description="Mean distance of the sides, pixels.")
    height_mm: Number | None = Field(
        description="Null unless the file has a pixel spacing of 0.4 to 1.0 mm."
    )
    tilt: Number = Field(description="Degrees, positive when the upper end leans to the right.")
    relative_density: Number = Field(
        description="How far the level stands above soft tissue, over the same of all levels: 1 "
        "is like the others. Of an image that was stretched: no measure of bone density."
    )
    confidence: Probability


class Finding(_Part):
    """Something in the geometry that a reader should look at. No finding is a diagnosis."""

    code: Code
    level: LevelName | None
    value: Number
    rule: str = Field(description="What the value was held against.")


class Vertebrae(_Part):
    """Where L1–L4 are. Coordinates are pixels of the image as it was sent: the origin is the top
    left corner of its top left pixel, x runs to the right, y down."""

    source: Literal["model", "drawn"]
    version: Version | None = Field(None, description="Of the model that outlined.")
    levels: tuple[Level, ...]
    axis_tilt: Number = Field(
        description="Degrees of the line through the centres of the top and the bottom vertebra, "
        "positive when its upper end leans to the image's right."
    )
    curve: Number = Field(
        description="Degrees between the tilts of the top and the bottom vertebra: a screening "
        "angle, not a Cobb angle."
    )
    iliac_crests_visible: bool | None = Field(description="Null: not looked for.")
    findings: tuple[Finding, ...] = Field(
        description="What a reader should look at. `part_missing` and `levels_uncertain` question "
        "the image: an outcome that would be normal is indeterminate then, never the reverse."
    )
    placement: tuple[tuple[Number, Number, Number], tuple[Number, Number, Number]] = Field(
        description="2×3 matrix that maps a point (u, v, 1) of the 224×224 image that the models "
        "saw to the image as it was sent."
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
        description="Between these two the outcome is indeterminate. So is a normal one that a "
        "finding puts in question, see `vertebrae.findings`."
    )
    degraded: bool = Field(description="True when a model that belongs to the answer is missing.")
    missing: tuple[PartName, ...]
    models: dict[BaseName, Vote]
    quality: Quality
    image: Image
    recipe: str
    version: Version | None = Field(
        description="Of the model that judged: the stack, or in its absence one base model."
    )
    vertebrae: Vertebrae | None = Field(
        None,
        description="Where the vertebrae are and what of it to look at; null where none were found "
        "or looked for. No finding is a diagnosis.",
    )
    intended_use: Literal["research"] = INTENDED_USE
    timings_ms: dict[str, float]
    review: Review | None = Field(
        default=None,
        description="A clinician's last word; the answer is preliminary while it is null.",
    )

    def document(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


def _vote(probability: float, contribution: float, version: str) -> dict[str, Any]:
    return {
        "probability": probability,
        "contribution": contribution,
        "version": "sha256:" + version * 32,
        "measurements": None,
    }


def _level(name: str, middle: float, tilt: float, density: float) -> dict[str, Any]:
    """Return an upright block around (156, ``middle``); a real outline has some eighty points."""
    left, right, top, bottom = 109.0, 203.0, middle - 26.0, middle + 26.0
    return {
        "level": name,
        "outline": [[left, top], [right, top], [right, bottom], [left, bottom]],
        "centre": [156.0, middle],
        "height": 52.0,
        "width": 94.0,
        "height_mm": 31.2,
        "tilt": tilt,
        "relative_density": density,
        "confidence": 0.97,
    }


_VERTEBRAE: Final[dict[str, Any]] = {
    "source": "model",
    "version": "sha256:" + "5a" * 32,
    "levels": [
        _level("L1", 101.0, 0.4, 0.86),
        _level("L2", 163.5, -0.2, 0.88),
        _level("L3", 226.0, 0.3, 1.24),
        _level("L4", 288.5, 0.6, 0.98),
    ],
    "axis_tilt": 0.0,
    "curve": 0.2,
    "iliac_crests_visible": None,
    "findings": [
        {
            "code": "denser_than_neighbours",
            "level": "L3",
            "value": 1.33,
            "rule": "1.25 times its neighbours or more, above soft tissue",
        }
    ],
    "placement": [[1.382353, 0.0, 1.176471], [0.0, 1.736111, 0.305556]],
}

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
        "cnn": _vote(0.79, 0.61, "1c"),
        "vgg16": _vote(0.88, 0.94, "5e"),
        "resnet": _vote(0.71, 0.33, "a4"),
        "bone": {
            **_vote(0.76, 0.42, "b0"),
            "measurements": [
                {"name": "bone_to_noise", "value": 2.14, "contribution": 0.58},
                {"name": "levels_spread", "value": 0.21, "contribution": -0.17},
            ],
        },
    },
    "quality": {"accepted": True, "reasons": [], "findings": []},
    "image": {"sha256": "9b" * 32, "format": "dicom", "width": 312, "height": 389},
    "recipe": recipe.NAME,
    "version": "sha256:" + "d7" * 32,
    "vertebrae": _VERTEBRAE,
    "intended_use": "research",
    "timings_ms": {
        "read": 6.1,
        "frame": 1.4,
        "vertebrae": 18.9,
        "prepare": 11.2,
        "cnn": 14.8,
        "vgg16": 38.5,
        "resnet": 21.7,
        "bone": 17.5,
        "stack": 4.4,
        "total": 81.3,
    },
    "review": None,
}
"""A full answer, shown in the API documentation; a test holds it against real ones."""
