"""How a patient's BMD goes on, as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from models.progression.forecast import NOMINAL, QUANTILES, WITHIN
from service.medicine.densitometry import OSTEOPOROSIS
from service.medicine.drugs import Drug
from service.medicine.progression.change import Change, Condition, Point, Verdict
from service.medicine.progression.history import Missing
from service.medicine.progression.outlook import Outlook
from service.medicine.scoliosis.schemas import CurveAnswer
from service.medicine.scoliosis.screening import Screening
from service.medicine.scoliosis.trend import Point as CurvePoint

CONDITION: Final = "The treatment and the weight of the newest study stay as they are."
LABEL: Final = (
    "Research use only. Not a diagnosis; made of simulated patients where `simulated` says so. A "
    "forecast decides neither a treatment nor the date of another scan."
)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class ChangeAnswer(_Part):
    """A study beside an earlier one, by the least significant change."""

    earlier: UUID
    verdict: Verdict
    difference_g_cm2: float | None
    percent: float | None
    least_significant_change_g_cm2: float | None
    against: tuple[Condition, ...]

    @classmethod
    def of(cls, change: Change) -> ChangeAnswer:
        return cls(
            earlier=change.earlier,
            verdict=change.verdict,
            difference_g_cm2=None if change.difference is None else float(change.difference),
            percent=None if change.percent is None else round(float(change.percent), 2),
            least_significant_change_g_cm2=None if change.least is None else float(change.least),
            against=change.against,
        )


class StudyAnswer(_Part):
    prediction_id: UUID
    acquired_on: date | None
    bmd_g_cm2: float | None
    previous: ChangeAnswer | None = Field(description="Against the study right before.")
    baseline: ChangeAnswer | None = Field(
        description="Against the earliest study that can be compared, where that is another one."
    )


class Interval(_Part):
    value: float
    low: float
    high: float


class RateAnswer(Interval):
    """g/cm² a year: a straight line through comparable studies, and what measuring leaves open."""

    studies: int


class Ahead(Interval):
    """g/cm²: where a scan on the same machine would be."""

    years: float = Field(description="After the newest study.")


class ForecastAnswer(_Part):
    nominal: float = Field(description="Share of such intervals that hold.")
    condition: str
    no_drug_was_entered: bool
    ahead: tuple[Ahead, ...]


class Within(_Part):
    years: int
    probability: float


class Quantile(_Part):
    quantile: float
    years: float | None = Field(description="null: later than five years, or never.")


class ReachingAnswer(_Part):
    t_score: float
    within: tuple[Within, ...]
    quantiles: tuple[Quantile, ...]


class ResponseAnswer(_Part):
    drug: Drug
    since: date | None
    change: ChangeAnswer


class ModelAnswer(_Part):
    version: str
    kind: Literal["mixed", "recurrent"]
    simulated: bool = Field(description="It was made of simulated patients alone.")


class ProgressionAnswer(_Part):
    """What studies of one patient say of the years to come; null is what they do not tell."""

    label: str
    studies: tuple[StudyAnswer, ...]
    unreadable: int
    rate: RateAnswer | None
    response: ResponseAnswer | None = Field(description="On the drug of the newest study.")
    forecast: ForecastAnswer | None
    reaching: ReachingAnswer | None = Field(description="When T is first −2.5 or lower.")
    missing: tuple[Missing, ...] = Field(description="Why something is not told.")
    model: ModelAnswer | None
    curve: CurveAnswer = Field(description="L1 to L4, of the images.")

    @classmethod
    def of(
        cls,
        points: Sequence[Point],
        found: Outlook,
        unreadable: int,
        curves: Sequence[CurvePoint],
    ) -> ProgressionAnswer:
        return cls(
            label=LABEL,
            studies=tuple(_study(point) for point in points),
            unreadable=unreadable,
            rate=_rate(found),
            response=None
            if found.response is None
            else ResponseAnswer(
                drug=found.response.drug,
                since=found.response.since,
                change=ChangeAnswer.of(found.response.change),
            ),
            forecast=_forecast(found),
            reaching=_reaching(found),
            missing=found.missing,
            model=None if found.model is None else ModelAnswer.model_validate(vars(found.model)),
            curve=CurveAnswer.of(curves),
        )


def _study(point: Point) -> StudyAnswer:
    exam = point.exam
    return StudyAnswer(
        prediction_id=exam.prediction_id,
        acquired_on=exam.acquired_on,
        bmd_g_cm2=exam.bmd_g_cm2,
        previous=None if point.previous is None else ChangeAnswer.of(point.previous),
        baseline=None if point.baseline is None else ChangeAnswer.of(point.baseline),
    )


def _rate(found: Outlook) -> RateAnswer | None:
    if found.rate is None:
        return None
    told = {name: round(value, 5) for name, value in vars(found.rate).items()}
    return RateAnswer(**told, studies=len(found.history.alike))


def _forecast(found: Outlook) -> ForecastAnswer | None:
    if found.forecast is None:
        return None
    columns = zip(
        found.forecast.years, found.forecast.middle, found.forecast.low, found.forecast.high,
        strict=True,
    )  # fmt: skip
    return ForecastAnswer(
        nominal=NOMINAL,
        condition=CONDITION,
        no_drug_was_entered=found.history.is_drug_assumed,
        ahead=tuple(
            Ahead(
                years=float(years),
                value=round(float(middle), 3),
                low=round(float(low), 3),
                high=round(float(high), 3),
            )
            for years, middle, low, high in columns
        ),
    )


def _reaching(found: Outlook) -> ReachingAnswer | None:
    if found.reaching is None:
        return None
    return ReachingAnswer(
        t_score=OSTEOPOROSIS,
        within=tuple(
            Within(years=years, probability=round(chance, 3))
            for years, chance in zip(WITHIN, found.reaching.within, strict=True)
        ),
        quantiles=tuple(
            Quantile(quantile=quantile, years=years)
            for quantile, years in zip(QUANTILES, found.reaching.quantiles, strict=True)
        ),
    )


EXAMPLE: Final[dict[str, Any]] = {
    "label": LABEL,
    "studies": [
        {
            "prediction_id": "7f9c24e8-3b12-4c5d-9a77-2f1e0d6b8c43",
            "acquired_on": "2025-11-03",
            "bmd_g_cm2": 0.873,
            "previous": None,
            "baseline": None,
        }
    ],
    "unreadable": 0,
    "rate": None,
    "response": None,
    "forecast": None,
    "reaching": None,
    "missing": ["no_comparable_studies"],
    "model": None,
    "curve": CurveAnswer.of(
        [
            CurvePoint(
                prediction_id=UUID("7f9c24e8-3b12-4c5d-9a77-2f1e0d6b8c43"),
                acquired_on=date(2025, 11, 3),
                found=Screening(degrees=13.1, low=10.4, high=15.8, side="left"),
                change=None,
                earlier=None,
                difference=None,
            )
        ]
    ).model_dump(mode="json"),
}
