"""Numbers that are entered of single vertebrae, hip and forearm, beside those of the lumbar spine.

They are a person's word. What a scanner has told of the same region stays as it is: both are shown,
and what differs is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from service.exams.measurements import (
    MOST_BMD,
    QUANTITIES,
    Conflict,
    Measured,
    Measurement,
    Quantity,
    Side,
    latest,
)
from service.exams.parts import BESIDE_SPINE, BesideSpine, Part, about, decimals
from service.medicine.densitometry import SCORE_RANGE

LEAST_BMD: Final = 0.1
"""g/cm²: anything less is taken for a slip of the keyboard."""

Score = Annotated[
    float, Field(ge=SCORE_RANGE[0], le=SCORE_RANGE[1], allow_inf_nan=False), decimals(1)
]
Bmd = Annotated[float, Field(ge=LEAST_BMD, le=MOST_BMD, allow_inf_nan=False), decimals(3)]


class Numbers(Part):
    """What is entered of one vertebra. At least one number is given."""

    bmd_g_cm2: Bmd | None = Field(None, description=about("regions.L1.bmd_g_cm2"), examples=[0.812])
    t_score: Score | None = Field(None, description=about("regions.L1.t_score"), examples=[-2.1])
    z_score: Score | None = Field(None, description=about("regions.L1.z_score"), examples=[-0.7])

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if all(getattr(self, name) is None for name in QUANTITIES):
            raise ValueError("no number")
        return self


class Sided(Numbers):
    """What is entered of one region that a body has two of; without a side it is of both."""

    side: Side | None = Field(None, description=about("regions.total_hip.side"))


class Regions(Part):
    """What is entered by region. At least one is given."""

    L1: Numbers | None = None
    L2: Numbers | None = None
    L3: Numbers | None = None
    L4: Numbers | None = None
    total_hip: Sided | None = None
    femoral_neck: Sided | None = None
    one_third_radius: Sided | None = None

    @property
    def given(self) -> dict[BesideSpine, Numbers]:
        """The numbers of those regions that are given."""
        found = ((name, getattr(self, name)) for name in BESIDE_SPINE)
        return {name: one for name, one in found if one is not None}

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.given:
            raise ValueError("no region")
        return self


def otherwise(regions: Regions | None, reports: Iterable[Measured]) -> Iterator[Conflict]:
    """Yield the numbers of ``regions`` that a scanner has told otherwise, under ``regions.…``."""
    if regions is None:
        return
    measured = latest(reports).values()
    for region, numbers in regions.given.items():
        for name in QUANTITIES:
            kept = getattr(numbers, name)
            told = [getattr(one, name) for one in measured if _is_of(region, numbers, one)]
            for other in dict.fromkeys(told):
                if None not in (kept, other) and kept != other:
                    yield Conflict(field=f"regions.{region}.{name}", kept=kept, measured=other)


def lowest(
    reports: Iterable[Measured], regions: Regions | None, region: BesideSpine, score: Quantity
) -> float | None:
    """Return the lowest of a region's scores: of two hips the worse one is read (ISCD).

    What is entered stands in the place of what a scanner has told of the same region and side.
    """
    numbers = None if regions is None else regions.given.get(region)
    entered = None if numbers is None else getattr(numbers, score)
    scores = [
        getattr(one, score)
        for one in latest(reports).values()
        if one.region == region
        and (numbers is None or entered is None or not _is_of(region, numbers, one))
    ]
    return min((one for one in (entered, *scores) if one is not None), default=None)


def side_of(numbers: Numbers) -> Side | None:
    return numbers.side if isinstance(numbers, Sided) else None


def _is_of(region: BesideSpine, numbers: Numbers, one: Measurement) -> bool:
    """Whether both are of the same: of two sides that are told the same one is meant."""
    sides = {side_of(numbers), one.side} - {None}
    return one.region == region and len(sides) < 2
