"""What runners answer, and what must hold of it."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from service.heatmap import Rows, even
from service.prediction import Probability, Version
from service.types import BASES, Band, BaseName


class _Answer(BaseModel):
    # Runners may learn to say more; what is said of these fields must hold.
    model_config = ConfigDict(frozen=True, extra="ignore")

    probability: Probability
    threshold: Probability
    band: Band
    version: Version
    recipe: str

    @model_validator(mode="after")
    def _band_in_order(self) -> Self:
        low, high = self.band
        if not 0 <= low <= high <= 1:
            raise ValueError("band is not two probabilities in order")
        return self


class BaseAnswer(_Answer):
    """One base model's word on one image."""

    auroc: Probability
    map: Rows | None = None

    @field_validator("map")
    @classmethod
    def _map_is_a_grid(cls, rows: Rows | None) -> Rows | None:
        return None if rows is None else even(rows)


class StackAnswer(_Answer):
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


class Dropped(BaseModel):
    """In an answer's place where there is none: it came too late, nobody waited, or it failed."""

    dropped: Literal["expired", "cancelled", "failed"]
