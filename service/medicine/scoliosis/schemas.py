"""The curve L1–L4 over a patient's exams, as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final, Self
from uuid import UUID

from pydantic import Field

from models.vertebrae.curvature import NOMINAL
from service.medicine.schemas import Part
from service.medicine.scoliosis.codes import NAME
from service.medicine.scoliosis.screening import THRESHOLD, Screening, Side, Standing, Untold
from service.medicine.scoliosis.trend import LEAST, Change, Point

LABEL: Final = (
    "Research use only. A screening angle of a lying patient, L1 to L4: not a Cobb angle and not a "
    "diagnosis. Its interval was measured on phantoms."
)


class Angle(Part):
    """Degrees, between ``low`` and ``high`` as often as ``nominal`` says."""

    degrees: float
    low: float
    high: float
    side: Side | None = Field(
        description="Of the image, to which the column bulges; null where it may be straight."
    )
    standing: Standing = Field(description="Where the interval lies against the threshold.")


class CurveStudy(Part):
    prediction_id: UUID
    acquired_on: date | None
    angle: Angle | None
    untold: Untold | None = Field(description="Why there is no angle.")
    earlier: date | None = Field(description="Of the study that `change` is against.")
    change: Change | None
    difference: float | None = Field(description="Degrees.")


class CurveAnswer(Part):
    """The studies in whose image vertebrae were found, by date."""

    label: str
    name: str
    nominal: float = Field(description="Share of intervals that hold, on phantoms.")
    threshold: float = Field(description="Degrees.")
    least_change: float = Field(description="Degrees from which on a difference is a change.")
    studies: tuple[CurveStudy, ...]

    @classmethod
    def of(cls, points: Sequence[Point]) -> Self:
        return cls(
            label=LABEL,
            name=NAME,
            nominal=NOMINAL,
            threshold=THRESHOLD,
            least_change=LEAST,
            studies=tuple(_study(one) for one in points),
        )


def _study(point: Point) -> CurveStudy:
    found = point.found
    return CurveStudy(
        prediction_id=point.prediction_id,
        acquired_on=point.acquired_on,
        angle=_angle(found) if isinstance(found, Screening) else None,
        untold=None if isinstance(found, Screening) else found,
        earlier=point.earlier,
        change=point.change,
        difference=point.difference,
    )


def _angle(found: Screening) -> Angle:
    return Angle(
        degrees=found.degrees,
        low=found.low,
        high=found.high,
        side=found.side,
        standing=found.standing,
    )
