"""What the models say of one image, before it is kept and before a clinician has seen it."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from pydantic import Field

from protocol.answers import Measurement, Probability, Version
from service.medicine.schemas import Image, Part, Quality
from service.medicine.vertebrae.schemas import Vertebrae
from service.types import BaseName, Outcome, PartName

INTENDED_USE: Final = "research"


def noticed(quality: Quality, vertebrae: Vertebrae | None) -> tuple[str, ...]:
    """Return the codes of all that was noticed in an image without refusing it."""
    geometry = vertebrae.findings if vertebrae else ()
    return (*quality.findings, *(one.code for one in geometry))


class Vote(Part):
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


class Analysis(Part):
    """One judged image, as the pipeline returns it."""

    id: UUID
    created_at: datetime
    outcome: Outcome
    probability: Probability | None = Field(
        description="Calibrated probability of osteoporosis; null when the image was refused."
    )
    threshold: Probability | None
    band: tuple[Probability, Probability] | None = Field(
        description="Between these two the outcome is indeterminate. So is a normal one that a "
        "finding puts in question, see `vertebrae.findings` and `quality.findings`."
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
