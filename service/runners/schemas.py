"""What runners answer, and what must hold of it."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from models.image import recipe
from models.vertebrae import graphics
from models.vertebrae.geometry import LEVELS, Level, LevelName, Outlined, Spine
from service.predictions.heat_maps.schemas import Rows, even
from service.predictions.schemas import Measurement, Probability, Version
from service.types import BASES, Band, BaseName


class _Answer(BaseModel):
    # Runners may learn to say more; what is said of these fields must hold.
    model_config = ConfigDict(frozen=True, extra="ignore")

    judges: ClassVar[str] = recipe.NAME
    """The recipe whose images it must be about."""

    version: Version
    recipe: str


class _Probable(_Answer):
    probability: Probability
    threshold: Probability
    band: Band

    @model_validator(mode="after")
    def _band_in_order(self) -> Self:
        low, high = self.band
        if not 0 <= low <= high <= 1:
            raise ValueError("band is not two probabilities in order")
        return self


class BaseAnswer(_Probable):
    """One base model's word on one image."""

    auroc: Probability
    map: Rows | None = None
    measurements: tuple[Measurement, ...] | None = Field(None, max_length=100)

    @field_validator("map")
    @classmethod
    def _map_is_a_grid(cls, rows: Rows | None) -> Rows | None:
        return None if rows is None else even(rows)


class StackAnswer(_Probable):
    """The stack's word on one image's votes."""

    contributions: dict[BaseName, Annotated[float, Field(allow_inf_nan=False)]]
    used: tuple[BaseName, ...] = Field(min_length=1)
    missing: tuple[BaseName, ...]

    @model_validator(mode="after")
    def _every_model_once(self) -> Self:
        if sorted(self.used + self.missing) != sorted(BASES) or set(self.contributions) != set(
            self.used
        ):
            raise ValueError("used, missing and contributions do not name every base model once")
        return self


Coordinate = Annotated[float, Field(ge=-recipe.SIDE, le=2 * recipe.SIDE, allow_inf_nan=False)]
"""Of the frame; a little outside harms nobody."""

Place = tuple[Coordinate, Coordinate]


class LevelAnswer(BaseModel):
    """One vertebra, in pixels of the frame."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    level: LevelName
    outline: tuple[Place, ...] = Field(min_length=3, max_length=2000)
    centre: Place
    area: float = Field(gt=0, le=recipe.BYTES, allow_inf_nan=False)
    confidence: Probability


class OutlineAnswer(_Answer):
    """The vertebrae runner's word on one frame; no ``levels``: it found no spine."""

    judges: ClassVar[str] = recipe.FRAME

    levels: tuple[LevelAnswer, ...] = Field(max_length=len(LEVELS))
    graphics: str = Field(max_length=recipe.BYTES)

    @model_validator(mode="after")
    def _levels_are_a_spine(self) -> Self:
        names = [one.level for one in self.levels]
        if names != [name for name in LEVELS if name in names]:
            raise ValueError("levels do not follow each other from L1 to L4")
        self.outlined()
        return self

    def outlined(self) -> Outlined:
        """Return what was found, as the recipe takes it. Raises ValueError where it is no spine."""
        levels = tuple(
            Level(one.level, one.outline, one.centre, one.area, one.confidence)
            for one in self.levels
        )
        return Outlined(Spine(levels) if levels else None, graphics.decode(self.graphics))


class Dropped(BaseModel):
    """In an answer's place where there is none: it came too late, nobody waited, or it failed."""

    dropped: Literal["expired", "cancelled", "failed"]
