"""What a runner answers: a JSON list with one of these for each item of a call, in its order.

What is said of a field here holds on both sides: a runner cannot send what the front would refuse.
The front ignores fields that it does not know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Final, Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from models.image.recipe import BYTES, FRAME, NAME, SIDE
from models.types import BASES, BaseName
from models.vertebrae.geometry import LEVELS, UNKNOWN, Level, LevelName, Outlined, Point, Spine
from protocol import mask
from protocol.headers import MAX_ITEMS

Probability = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Version = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{8,64}$")]
Band = tuple[float, float]
"""Lower and upper end, both inside: between them the answer is ``indeterminate``."""

MAX_SIDE: Final = SIDE
"""Rows of a map, and values in a row: no map is finer than the image."""

_Row = Annotated[tuple[Number, ...], Field(min_length=1, max_length=MAX_SIDE)]
Rows = Annotated[tuple[_Row, ...], Field(min_length=1, max_length=MAX_SIDE)]
"""Evidence for osteoporosis, rows from the top; below zero speaks against it."""


def even(rows: Rows) -> Rows:
    """Return ``rows``. Raises ``ValueError`` when they are not all of one length."""
    if len({len(row) for row in rows}) != 1:
        raise ValueError("the rows of a map are not all of one length")
    return rows


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    expected_recipe: ClassVar[str] = NAME
    """That of the images it must be about."""


def _in_order(band: Band) -> Band:
    low, high = band
    if not 0 <= low <= high <= 1:
        raise ValueError("band is not two probabilities in order")
    return band


OrderedBand = Annotated[Band, AfterValidator(_in_order)]


class Weighed(Protocol):
    """As much of :class:`models.inference.bone.Measured` as an answer tells."""

    @property
    def name(self) -> str: ...
    @property
    def value(self) -> float: ...
    @property
    def contribution(self) -> float: ...


class Scored(Protocol):
    """As much of :class:`models.inference.base.BasePrediction` as an answer tells."""

    @property
    def probability(self) -> float: ...
    @property
    def map(self) -> NDArray[np.float32] | None: ...
    @property
    def measured(self) -> Sequence[Weighed]: ...


class Served(Protocol):
    """As much of :class:`models.inference.base.Scorer` as an answer tells."""

    version: str
    recipe: str
    threshold: float
    band: Band
    auroc: float


class Combined(Protocol):
    """As much of :class:`models.inference.stack.EnsemblePrediction` as an answer tells."""

    @property
    def probability(self) -> float: ...
    @property
    def threshold(self) -> float: ...
    @property
    def band(self) -> Band: ...
    @property
    def contributions(self) -> dict[BaseName, float]: ...
    @property
    def intercept(self) -> float: ...
    @property
    def missing(self) -> tuple[BaseName, ...]: ...


class Measurement(BaseModel):
    """Something that is measured of the bone, and what it added to ``bone``'s answer."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    value: Number
    contribution: Number = Field(
        description="Logit units before calibration; above zero speaks for osteoporosis."
    )


class BasePrediction(_Answer):
    """One base model's answer about one canonical image."""

    probability: Probability = Field(description="calibrated")
    version: Version
    recipe: str
    threshold: Probability
    band: OrderedBand
    auroc: Probability = Field(description="of this version, cross-validated")
    map: Rows | None = Field(None, description="evidence per region, rows from the top")
    measurements: tuple[Measurement, ...] | None = Field(
        None,
        max_length=100,
        description="what bone weighed, the weightiest first; null of any other",
    )

    @field_validator("map")
    @classmethod
    def _map_is_a_grid(cls, rows: Rows | None) -> Rows | None:
        return None if rows is None else even(rows)

    @classmethod
    def of(cls, scored: Scored, by: Served) -> Self:
        """Return what the model ``by`` says of an image; of a map four decimals."""
        rows = scored.map
        return cls(
            probability=scored.probability,
            version=by.version,
            recipe=by.recipe,
            threshold=by.threshold,
            band=by.band,
            auroc=by.auroc,
            map=None
            if rows is None
            else tuple(tuple(round(float(v), 4) for v in row) for row in rows),
            measurements=tuple(
                Measurement(name=one.name, value=one.value, contribution=one.contribution)
                for one in scored.measured
            )
            or None,
        )


class BaseProbability(BaseModel):
    """As much of a base prediction as the stack takes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    probability: float = Field(ge=0, le=1)
    version: str = Field(max_length=80)


class EnsembleRequest(BaseModel):
    """What the stack is asked, one set of base predictions an image; as JSON
    ``{"votes": [{"cnn": {"probability": …, "version": …}, …}, …]}``."""

    votes: list[dict[str, BaseProbability]] = Field(min_length=1, max_length=MAX_ITEMS)

    @classmethod
    def of(cls, sets: Sequence[Mapping[BaseName, BasePrediction]]) -> Self:
        """Return the request for ``sets``, one an image."""
        return cls(
            votes=[
                {
                    name: BaseProbability(probability=one.probability, version=one.version)
                    for name, one in predictions.items()
                }
                for predictions in sets
            ]
        )


class EnsemblePrediction(_Answer):
    """The stack's answer about one image's base predictions."""

    probability: Probability
    threshold: Probability
    band: OrderedBand
    contributions: dict[BaseName, Number]
    intercept: Number
    used: tuple[BaseName, ...] = Field(min_length=1)
    missing: tuple[BaseName, ...]
    version: Version
    recipe: str

    @model_validator(mode="after")
    def _every_model_once(self) -> Self:
        if sorted(self.used + self.missing) != sorted(BASES) or set(self.contributions) != set(
            self.used
        ):
            raise ValueError("used, missing and contributions do not name every base model once")
        return self

    @classmethod
    def of(cls, combined: Combined, version: str, recipe: str) -> Self:
        """Return what a stack of ``version`` says of votes on an image that ``recipe`` made."""
        return cls(
            probability=combined.probability,
            threshold=combined.threshold,
            band=combined.band,
            contributions=combined.contributions,
            intercept=combined.intercept,
            used=tuple(combined.contributions),
            missing=combined.missing,
            version=version,
            recipe=recipe,
        )


class NoEnsemblePrediction(_Answer):
    """The stack's answer where it could use none of the base predictions."""

    probability: None = None
    threshold: None = None
    band: None = None
    contributions: dict[BaseName, Number] = Field(default={}, max_length=0)
    intercept: None = None
    used: tuple[BaseName, ...] = Field(default=(), max_length=0)
    missing: tuple[BaseName, ...]
    version: Version
    recipe: str


Coordinate = Annotated[float, Field(ge=-SIDE, le=2 * SIDE, allow_inf_nan=False)]
"""Of the frame; a little outside harms nobody."""

Place = tuple[Coordinate, Coordinate]

Side = Annotated[tuple[Place, ...], Field(max_length=SIDE)]


class OutlinedLevel(BaseModel):
    """One vertebra, in pixels of the frame."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    level: LevelName
    outline: tuple[Place, ...] = Field(min_length=3, max_length=2000)
    centre: Place
    area: float = Field(gt=0, le=BYTES, allow_inf_nan=False)
    confidence: Probability


class Outline(_Answer):
    """The vertebrae runner's answer about one frame."""

    expected_recipe: ClassVar[str] = FRAME

    version: Version
    recipe: str
    levels: tuple[OutlinedLevel, ...] = Field(
        max_length=len(LEVELS), description="from the top; empty: no spine was found"
    )
    sides: tuple[Side, Side] = Field(
        ((), ()), description="the column's left and right rim, from the top; empty: not known"
    )
    graphics: str = Field(
        max_length=BYTES, description="base64 of the packed bits of the (224, 224) mask"
    )

    @model_validator(mode="after")
    def _levels_are_a_spine(self) -> Self:
        names = [one.level for one in self.levels]
        if names != [name for name in LEVELS if name in names]:
            raise ValueError("levels do not follow each other from L1 to L4")
        self.to_outlined()
        return self

    @classmethod
    def from_outlined(cls, outlined: Outlined, version: str) -> Self:
        """Return what was found by ``version`` of the model, outlines to a tenth of a pixel."""
        levels = outlined.spine.levels if outlined.spine else ()
        left, right = outlined.spine.sides if outlined.spine else UNKNOWN
        return cls(
            version=version,
            recipe=FRAME,
            levels=tuple(
                OutlinedLevel(
                    level=one.level,
                    outline=_rounded(one.outline),
                    centre=one.centre,
                    area=one.area,
                    confidence=one.confidence,
                )
                for one in levels
            ),
            sides=(_rounded(left), _rounded(right)),
            graphics=mask.encode(outlined.graphics),
        )

    def to_outlined(self) -> Outlined:
        """Return what was found, as the recipe takes it. Raises ValueError where it is no spine."""
        levels = tuple(
            Level(one.level, one.outline, one.centre, one.area, one.confidence)
            for one in self.levels
        )
        spine = Spine(levels, self.sides) if levels else None
        return Outlined(spine, mask.decode(self.graphics))


def _rounded(points: Sequence[Point]) -> tuple[Place, ...]:
    return tuple((round(x, 1), round(y, 1)) for x, y in points)


DropReason = Literal["expired", "cancelled", "failed"]
"""Its deadline passed, its caller went away, it broke the model."""


class Dropped(BaseModel):
    """In an answer's place where there is none."""

    dropped: DropReason
