"""A patient's course as messages pass it on: change, rate and forecast of the spine's BMD.

They are told of exams of one scanner and the same vertebrae alone, in g/cm² and never in T-scores,
and stay preliminary: a signature is of the image's outcome. When T may reach -2.5 is not passed on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from models.progression.forecast import NOMINAL
from service.integration.compose.measured import GRAMS
from service.integration.compose.source import Judged
from service.medicine.progression.change import Verdict
from service.medicine.progression.outlook import Outlook
from service.medicine.progression.place import Changed
from service.medicine.progression.schemas import CONDITION

YEARLY: Final = "g/cm2/a"
PERCENT: Final = "%"
LOW: Final = ("LOW", "Lower end of the interval")
HIGH: Final = ("HIGH", "Upper end of the interval")
PER_CENT: Final = ("PERCENT", "Change in percent")
LEAST: Final = ("LSC", "Least significant change")
EARLIER: Final = ("EARLIER", "Date of the earlier study")
STUDIES: Final = ("STUDIES", "Comparable studies")
VERDICT: Final = ("VERDICT", "By the least significant change")
VERDICTS: Final[dict[Verdict, tuple[str, str]]] = {
    "gain": ("GAIN", "Gain"),
    "loss": ("LOSS", "Loss"),
    "no_significant_change": ("NO_CHANGE", "No significant change"),
}
_COMPUTED: Final = ("COMPUTED", "Computed of what scanners measured")
_MODELLED: Final = ("MODEL", "Said by a model")
_CHANGE: Final = (
    "Of one scanner and the same vertebrae, by the facility's own least significant change (ISCD). "
    "Degeneration can hide loss. One finding among others: it decides nothing by itself. Research "
    "use only."
)
_RATE: Final = (
    "A straight line through comparable studies; the interval is that of measuring, 90 %. Research "
    "use only."
)
_AHEAD: Final = (
    "Where a scan on the same machine would be, with an interval that holds of %d in 100. "
    f"{CONDITION}"
)
_SIMULATED: Final = "The model was made of simulated patients alone."
_NO_DRUG: Final = "No drug against osteoporosis was entered, and none is assumed."
_DECIDES: Final = (
    "It decides neither a treatment nor the date of another scan. Not a diagnosis. Research use "
    "only."
)

Quantity = tuple[tuple[str, str], float, str]
"""A code of ours with its meaning, a value, and UCUM's unit."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """One thing that is said of the course. ``value`` is None where ``quantities`` are all."""

    key: str
    """What tells it from others of the same exam."""
    code: tuple[str, str]
    value: Quantity | None
    quantities: tuple[Quantity, ...] = ()
    verdict: tuple[str, str] | None = None
    earlier: str | None = None
    """A date."""
    studies: int | None = None
    is_modelled: bool = False
    version: str | None = None
    """Of the model that said it."""
    sentence: str
    beside: str

    @property
    def origin(self) -> tuple[str, str]:
        """Where its numbers are from, by a code of ours."""
        return _MODELLED if self.is_modelled else _COMPUTED

    @property
    def numbers(self) -> tuple[Quantity, ...]:
        """All of its numbers, that which it is about first."""
        value = () if self.value is None else (self.value,)
        studies: tuple[Quantity, ...] = ()
        if self.studies is not None:
            studies = ((STUDIES, self.studies, "1"),)
        return (*value, *self.quantities, *studies)


@dataclass(frozen=True, kw_only=True)
class Course:
    """What is said of the exam whose first image ``image`` is (SOP Instance UID)."""

    image: str
    said: tuple[Said, ...]


def courses(parts: Sequence[Judged]) -> tuple[Course, ...]:
    """Return what is said of the exams whose images ``parts`` are, each thing once."""
    found: dict[tuple[Said, ...], str] = {}
    for one in parts:
        if one.place is None:
            continue
        said = (
            *(_changed(changed) for changed in one.place.changes),
            *([] if one.place.outlook is None else _ahead(one.place.outlook)),
        )
        if said:
            found.setdefault(said, str(one.source.SOPInstanceUID))
    return tuple(Course(image=image, said=said) for said, image in found.items())


def _changed(changed: Changed) -> Said:
    change, since = changed.change, changed.since.isoformat()
    difference, percent, least = (
        float(one or 0) for one in (change.difference, change.percent, change.least)
    )
    verdict = VERDICTS[change.verdict]
    code = ("BMD_CHANGE", "Change of the spine's BMD since an earlier study")
    return Said(
        key=f"change/{since}",
        code=code,
        value=(code, round(difference, 4), GRAMS),
        quantities=(
            (PER_CENT, round(percent, 2), PERCENT),
            (LEAST, round(least, 4), GRAMS),
        ),
        verdict=verdict,
        earlier=since,
        sentence=f"{verdict[1]} since {since}: {difference:+.3f} {GRAMS} ({percent:+.1f} %), least "
        f"significant change {least:.4f} {GRAMS}.",
        beside=_CHANGE,
    )


def _ahead(found: Outlook) -> Iterator[Said]:
    if found.rate is not None:
        rate, studies = found.rate, len(found.history.alike)
        code = ("BMD_RATE", "Rate of change of the spine's BMD")
        yield Said(
            key="rate",
            code=code,
            value=(code, round(rate.value, 4), YEARLY),
            quantities=(
                (LOW, round(rate.low, 4), YEARLY),
                (HIGH, round(rate.high, 4), YEARLY),
            ),
            studies=studies,
            sentence=f"Rate {rate.value:+.3f} ({rate.low:+.3f} to {rate.high:+.3f}) {YEARLY}, "
            f"{studies} studies.",
            beside=_RATE,
        )
    if found.forecast is not None:
        yield _forecast(found)


def _forecast(found: Outlook) -> Said:
    forecast, model = found.forecast, found.model
    if forecast is None:
        raise ValueError("there is no forecast to tell")
    quantities: list[Quantity] = []
    words: list[str] = []
    columns = zip(forecast.years, forecast.middle, forecast.low, forecast.high, strict=True)
    for years, *values in columns:
        if not float(years).is_integer():
            continue
        place = f"in {int(years)} years" if years > 1 else "in one year"
        for name, meaning, value in zip(
            ("", "_LOW", "_HIGH"),
            (f"BMD {place}", f"BMD {place}, lower end", f"BMD {place}, upper end"),
            values,
            strict=True,
        ):
            quantities.append(
                ((f"BMD_{int(years)}Y{name}", meaning), round(float(value), 3), GRAMS)
            )
        middle, low, high = (float(value) for value in values)
        words.append(f"{place} {middle:.3f} ({low:.3f} to {high:.3f})")
    beside = [
        _AHEAD % round(100 * NOMINAL),
        *([_NO_DRUG] if found.history.is_drug_assumed else []),
        *([_SIMULATED] if model is not None and model.simulated else []),
        *([f"Model {model.version}."] if model is not None else []),
        _DECIDES,
    ]
    return Said(
        key="forecast",
        code=("BMD_FORECAST", "Forecast of the spine's BMD"),
        value=None,
        quantities=tuple(quantities),
        is_modelled=True,
        version=None if model is None else model.version,
        sentence=f"Forecast of BMD, {GRAMS}: {'; '.join(words)}.",
        beside=" ".join(beside),
    )
