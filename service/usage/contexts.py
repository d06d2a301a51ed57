"""The page of a site's use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from babel.dates import format_date

from service.language.formats import day, number, percent, zone
from service.language.locale import N_, _, current, ngettext
from service.medicine.osteoporosis.wording import HEADINGS
from service.predictions.worklist.findings import SHORT
from service.types import Outcome
from service.usage.schemas import LENGTHS, Density, Month, Setting, ShownSettings, Use
from service.web.forms import Field, Option
from service.web.page import Page

ADDRESS: Final = "/usage"
_Told = Callable[[Month], tuple[str, ...]]
NONE: Final = "–"

_OUTCOMES: Final[tuple[Outcome, ...]] = ("osteoporosis", "indeterminate", "normal", "refused")
_BESIDE: Final[Mapping[tuple[Density, Outcome], str]] = {
    ("osteoporosis", "osteoporosis"): N_("T ≤ −2.5: signs"),
    ("osteoporosis", "indeterminate"): N_("T ≤ −2.5: indeterminate"),
    ("osteoporosis", "normal"): N_("T ≤ −2.5: no sign"),
    ("above", "osteoporosis"): N_("T > −2.5: signs"),
    ("above", "indeterminate"): N_("T > −2.5: indeterminate"),
    ("above", "normal"): N_("T > −2.5: no sign"),
}


@dataclass(frozen=True, kw_only=True)
class Line:
    """A row of figures, as they are written."""

    name: str
    figures: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Figures:
    """A table with a row for each month, the newest first, and one for all of them."""

    heads: tuple[str, ...]
    rows: tuple[Line, ...]
    whole: Line


@dataclass(frozen=True, kw_only=True)
class VersionRow:
    version: str
    results: str
    first: str
    last: str
    served: bool
    address: str
    """Where its results are listed."""


@dataclass(frozen=True, kw_only=True)
class UsagePage(Page):
    templates = ("usage.html",)
    section = ADDRESS

    lengths: Field
    csv: str
    any: bool
    volume: Figures
    reading: Figures
    refusals: tuple[Line, ...]
    agreement: Figures | None
    """None where no result has a T-score that applies beside it."""
    versions: tuple[VersionRow, ...]
    settings: tuple[Setting, ...]

    @classmethod
    def of(cls, use: Use, served: str | None, settings: ShownSettings) -> UsagePage:
        """``served``: the version that judges now."""
        whole = _whole(use.months)
        length = len(use.months)
        return cls(
            lengths=Field(
                name="months",
                id="months",
                label=_("Look back over"),
                kind="select",
                value=str(length),
                options=tuple(
                    Option(
                        value=str(one),
                        label=ngettext("%(num)s month", "%(num)s months", one),
                        selected=one == length,
                    )
                    for one in LENGTHS
                ),
            ),
            csv=f"{ADDRESS}/export.csv?months={length}",
            any=bool(whole.results),
            volume=_volume(use.months, whole),
            reading=_reading(use.months, whole),
            refusals=tuple(_refusals(whole)),
            agreement=_agreement(use.months, whole) if whole.compared else None,
            versions=tuple(
                VersionRow(
                    version=one.version,
                    results=number(one.results),
                    first=day(one.first.astimezone(zone()).date()),
                    last=day(one.last.astimezone(zone()).date()),
                    served=one.version == served,
                    address=f"/history?version={one.version}",
                )
                for one in use.versions
            ),
            settings=settings.rows,
        )


def _whole(months: tuple[Month, ...]) -> Month:
    """Return all ``months`` as one."""
    outcomes: Counter[Outcome] = Counter()
    refusals: Counter[str] = Counter()
    beside: Counter[tuple[Density, Outcome]] = Counter()
    for one in months:
        outcomes.update(one.outcomes)
        refusals.update(one.refusals)
        beside.update(one.beside)
    added = ("degraded", "retired", "signed", "overridden", "withdrawn")
    return Month(
        first=months[0].first,
        outcomes=outcomes,
        refusals=refusals,
        beside=beside,
        **{name: sum(getattr(one, name) for one in months) for name in added},
    )


def _volume(months: tuple[Month, ...], whole: Month) -> Figures:
    def figures(one: Month) -> tuple[str, ...]:
        found = [number(one.outcomes.get(outcome, 0)) for outcome in _OUTCOMES]
        return number(one.results), *found, number(one.degraded), number(one.retired)

    heads = (
        _("Results"),
        *(_(HEADINGS[outcome]) for outcome in _OUTCOMES),
        _("Degraded"),
        _("Retired"),
    )
    return _figures(heads, months, whole, figures)


def _reading(months: tuple[Month, ...], whole: Month) -> Figures:
    def figures(one: Month) -> tuple[str, ...]:
        counts = (one.unread, one.signed, one.overridden, one.withdrawn)
        return *map(number, counts), _part(one.override_rate)

    heads = (_("Unread"), _("Signed"), _("Overridden"), _("Withdrawn"), _("Override rate"))
    return _figures(heads, months, whole, figures)


def _agreement(months: tuple[Month, ...], whole: Month) -> Figures:
    def figures(one: Month) -> tuple[str, ...]:
        return *(number(one.beside.get(cell, 0)) for cell in _BESIDE), _part(one.agreement)

    heads = (*(_(head) for head in _BESIDE.values()), _("Agreement"))
    return _figures(heads, months, whole, figures)


def _figures(
    heads: tuple[str, ...], months: tuple[Month, ...], whole: Month, figures: _Told
) -> Figures:
    return Figures(
        heads=heads,
        rows=tuple(Line(name=_named(one), figures=figures(one)) for one in reversed(months)),
        whole=Line(name=_("All months"), figures=figures(whole)),
    )


def _named(month: Month) -> str:
    return format_date(month.first, "LLLL y", current().locale)


def _part(value: float | None) -> str:
    return NONE if value is None else percent(value, 0)


def _refusals(whole: Month) -> Iterator[Line]:
    """Yield the reasons, the commonest first, each with its count and its part of what was sent."""
    for reason, count in sorted(whole.refusals.items(), key=lambda one: (-one[1], one[0])):
        name = _(SHORT[reason]) if reason in SHORT else reason
        yield Line(name=name, figures=(number(count), percent(count / whole.results)))
