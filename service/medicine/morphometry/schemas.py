"""Points that were set and what follows from them, as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.vertebrae.morphometry import (
    Grade,
    Graded,
    LateralLevel,
    Shape,
    SixPoints,
    grade,
)
from service.errors import Fault, FieldsError
from service.http.validation import faults
from service.language.locale import N_

LABEL: Final = (
    "Research use only. Grades of points that somebody set, after Genant: not a diagnosis. A low "
    "vertebra may be no fracture; a clinician looks at the image."
)
SOURCE: Final = "Genant et al., J Bone Miner Res 1993;8:1137"
MOST: Final = 20_000.0
"""Pixels of a coordinate: more than any image that is taken has."""


class PointsError(FieldsError):
    """The points cannot be taken."""

    code = "invalid_points"


Coordinate = Annotated[float, Field(ge=-MOST, le=MOST, allow_inf_nan=False)]
Sent = tuple[Coordinate, Coordinate]


class Part(BaseModel):
    """What parts have in common: they never change, and have no fields of somebody else's."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Vertebra(Part):
    """Six points in pixels, x to the right, y down; each end plate from front to back."""

    level: LateralLevel
    upper: tuple[Sent, Sent, Sent] = Field(description="Front end, middle and back end.")
    lower: tuple[Sent, Sent, Sent] = Field(description="Front end, middle and back end.")


class Points(Part):
    """The vertebrae of one lateral image."""

    vertebrae: tuple[Vertebra, ...] = Field(min_length=1, max_length=13)
    pixel_aspect: float = Field(
        default=1.0, gt=0.1, lt=10, description="Height of a pixel over its width."
    )

    def graded(self) -> tuple[Graded, ...]:
        """Return what is told of each vertebra, heights in widths of a pixel.

        Raises :class:`PointsError`.
        """
        found: dict[LateralLevel, SixPoints] = {}
        for number, one in enumerate(self.vertebrae):
            field = f"vertebrae.{number}"
            if one.level in found:
                raise PointsError([Fault(field, "twice", N_("This level is there twice."))])
            try:
                found[one.level] = SixPoints(self._even(one.upper), self._even(one.lower))
            except ValueError:
                sentence = N_("Each point of the lower end plate lies below that of the upper one.")
                raise PointsError([Fault(field, "order", sentence)]) from None
        return grade(found)

    def _even(self, plate: tuple[Sent, Sent, Sent]) -> tuple[Sent, Sent, Sent]:
        first, second, third = ((x, y * self.pixel_aspect) for x, y in plate)
        return first, second, third


def read(sent: Mapping[str, Any]) -> Points:
    """Return what was ``sent``, as JSON has it. Raises :class:`PointsError`."""
    try:
        return Points.model_validate(dict(sent))
    except ValidationError as error:
        told = faults(error.errors(include_url=False), lambda _: _SENTENCE)
        raise PointsError(told) from None


_SENTENCE: Final = N_("This has another form than what is asked for.")


class Losses(Part):
    """Shares of the height; below 0 where a vertebra is higher than what it is held against."""

    front: float
    middle: float
    back: float | None = Field(description="Null where no sound vertebra is beside it.")


class VertebraAnswer(Part):
    level: LateralLevel
    heights: tuple[float, float, float] = Field(
        description="Of front, middle and back, in widths of a pixel."
    )
    losses: Losses
    grade: Grade = Field(description="Genant's, by the greatest loss: 20, 25 and 40 %.")
    shape: Shape | None

    @classmethod
    def of(cls, found: Graded) -> Self:
        front, middle, back = found.losses
        return cls(
            level=found.level,
            heights=found.heights,
            losses=Losses(front=front, middle=middle, back=back),
            grade=found.grade,
            shape=found.shape,
        )


class MorphometryAnswer(Part):
    label: str = LABEL
    source: str = SOURCE
    vertebrae: tuple[VertebraAnswer, ...]

    @classmethod
    def of(cls, found: tuple[Graded, ...]) -> Self:
        return cls(vertebrae=tuple(VertebraAnswer.of(one) for one in found))


def _body(level: LateralLevel, top: float, front: float) -> dict[str, Any]:
    """Return a vertebra 30 high at its back and ``front`` at its front, which lies left."""
    middle = (30 + front) / 2
    upper = [[100.0, top + 30 - front], [118.0, top + 30 - middle], [136.0, top]]
    return {"level": level, "upper": upper, "lower": [[x, top + 30] for x, _ in upper]}


EXAMPLE: Final[dict[str, Any]] = {
    "vertebrae": [_body("T12", 40.0, 29.0), _body("L1", 80.0, 21.0), _body("L2", 120.0, 30.0)],
    "pixel_aspect": 1.0,
}


def example() -> dict[str, Any]:
    """Return the answer to :data:`EXAMPLE`, as the API documentation shows it."""
    return MorphometryAnswer.of(read(EXAMPLE).graded()).model_dump(mode="json")
