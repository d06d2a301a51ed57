"""What is expected of the years to come, in sentences: ``outlook`` in a patient's page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from models.artifact import PREFIX
from models.progression.forecast import NOMINAL, QUANTILES, WITHIN, Reaching
from service.language.formats import day, number
from service.language.locale import N_, _, ngettext
from service.medicine.drugs import NAMES
from service.medicine.progression.change import Verdict
from service.medicine.progression.history import Missing
from service.medicine.progression.outlook import Outlook, Response

_MISSING: Final[Mapping[Missing, str]] = {
    "no_comparable_studies": N_(
        "No rate and no forecast: of the newest study’s scanner and vertebrae there is no second "
        "study with date and BMD."
    ),
    "third_study": N_(
        "No forecast yet: it takes three studies of one scanner and the same vertebrae; two give a "
        "rate."
    ),
    "sex": N_("No forecast: the sex was not entered."),
    "age": N_("No forecast: no age was entered."),
    "drug_without_model": N_(
        "No forecast: what raloxifene and hormones do to BMD is not known to the model."
    ),
    "model": N_("No forecast: its model is not there or damaged."),
    "t_score": N_(
        "When T is −2.5 is not told: the newest study has no T-score, and none is computed here."
    ),
    "t_score_does_not_apply": N_(
        "When T is −2.5 is not told: T-scores apply to women after menopause and men of 50 or more."
    ),
    "scanner_without_reference": N_(
        "When T is −2.5 is not told: the spread of this maker’s reference data is not known here."
    ),
    "at_threshold": N_("The newest study’s T-score is −2.5 or lower already."),
}
_RESPONSES: Final[Mapping[Verdict, str]] = {
    "gain": N_(
        "On %(drug)s: gain since %(day)s of %(difference)s g/cm² (%(percent)s %%), at least the "
        "least significant change of %(least)s."
    ),
    "loss": N_(
        "On %(drug)s: loss since %(day)s of %(difference)s g/cm² (%(percent)s %%), at least the "
        "least significant change of %(least)s."
    ),
    "no_significant_change": N_(
        "On %(drug)s: no significant change since %(day)s (%(difference)s g/cm², %(percent)s %%, "
        "less than the least significant change of %(least)s)."
    ),
}


@dataclass(frozen=True, kw_only=True)
class AheadRow:
    years: str
    middle: str
    low: str
    high: str


@dataclass(frozen=True, kw_only=True)
class OutlookCard:
    """``sentences`` say what is told, ``missing`` what is not and why."""

    sentences: tuple[str, ...]
    rows: tuple[AheadRow, ...]
    reaching: tuple[str, ...]
    missing: tuple[str, ...]
    condition: str
    model: str
    """What was asked; empty where no model was."""
    simulated: bool

    @classmethod
    def of(cls, found: Outlook) -> OutlookCard:
        return cls(
            sentences=tuple(_sentences(found)),
            rows=tuple(_rows(found)),
            reaching=() if found.reaching is None else tuple(_reaching(found.reaching)),
            missing=tuple(_(_MISSING[one]) for one in found.missing),
            condition=_condition(found),
            model="" if found.model is None else found.model.version.removeprefix(PREFIX)[:12],
            simulated=found.model is not None and found.model.simulated,
        )


def _sentences(found: Outlook) -> Iterator[str]:
    alike = found.history.alike
    if found.rate is not None:
        yield _(
            "Rate: %(value)s g/cm² a year (%(low)s to %(high)s, 90 %%), a straight line through "
            "%(count)s studies from %(first)s to %(last)s. The interval is that of measuring.",
            value=number(found.rate.value, 3, signed=True),
            low=number(found.rate.low, 3, signed=True),
            high=number(found.rate.high, 3, signed=True),
            count=number(len(alike)),
            first=_day(alike[0].acquired_on),
            last=_day(alike[-1].acquired_on),
        )
    if found.response is not None:
        yield _response(found.response, found)


def _response(response: Response, found: Outlook) -> str:
    change = response.change
    earlier = next(
        exam for exam in found.history.alike if exam.prediction_id == change.earlier
    )  # fmt: skip
    return _(
        _RESPONSES[change.verdict],
        drug=_(NAMES[response.drug]),
        day=_day(earlier.acquired_on),
        difference=number(float(change.difference or 0), 3, signed=True),
        percent=number(float(change.percent or 0), 1, signed=True),
        least=number(float(change.least or 0), 4),
    )


def _rows(found: Outlook) -> Iterator[AheadRow]:
    if found.forecast is None:
        return
    columns = zip(
        found.forecast.years, found.forecast.middle, found.forecast.low, found.forecast.high,
        strict=True,
    )  # fmt: skip
    for years, middle, low, high in columns:
        if float(years).is_integer():
            yield AheadRow(
                years=number(int(years)),
                middle=number(float(middle), 3),
                low=number(float(low), 3),
                high=number(float(high), 3),
            )


def _reaching(found: Reaching) -> Iterator[str]:
    for years, chance in zip(WITHIN, found.within, strict=True):
        yield ngettext(
            "within %(num)s year: %(chance)s",
            "within %(num)s years: %(chance)s",
            years,
            chance=_chance(chance),
        )
    first, middle, last = (found.quantiles[QUANTILES.index(one)] for one in (0.1, 0.5, 0.9))
    if first is None:
        yield _("Fewer than one in ten would reach it within five years.")
        return
    yield _(
        "reached by one in ten: %(first)s; by half: %(middle)s; by nine in ten: %(last)s",
        first=_years(first),
        middle=_years(middle),
        last=_years(last),
    )


def _chance(value: float) -> str:
    if value < 0.01:
        return _("less than 1 %")
    if value > 0.99:
        return _("more than 99 %")
    return _("%(share)s %%", share=number(100 * value, 0))


def _years(value: float | None) -> str:
    if value is None:
        return _("later than five years, or never")
    return _("%(years)s years", years=number(value, 1))


def _condition(found: Outlook) -> str:
    if found.forecast is None:
        return ""
    drug = found.history.alike[-1].drug
    nominal = number(100 * NOMINAL, 0)
    if found.history.is_drug_assumed:
        return _(
            "A scan on this machine would lie in the interval %(nominal)s times of 100 while no "
            "drug against osteoporosis is taken: none was entered. The weight stays as it is.",
            nominal=nominal,
        )
    if drug is None or drug == "none":
        return _(
            "A scan on this machine would lie in the interval %(nominal)s times of 100 while no "
            "drug is begun and the weight stays as it is.",
            nominal=nominal,
        )
    return _(
        "A scan on this machine would lie in the interval %(nominal)s times of 100 while treatment "
        "goes on with %(drug)s, by what follows it where it is limited, and the weight stays.",
        nominal=nominal,
        drug=_(NAMES[drug]),
    )


def _day(when: date | None) -> str:
    return "" if when is None else day(when)
