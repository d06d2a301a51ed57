"""How a site uses the service: counts by month, of what was judged, read and agreed with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, tzinfo
from typing import Final, Literal, Self

from service.types import Outcome

Density = Literal["osteoporosis", "above"]
"""What a scanner's T-score says: −2.5 and lower, or above."""

LENGTHS: Final = (3, 12, 36)
"""Months that one can look back over, the present one among them."""


@dataclass(frozen=True, kw_only=True)
class Period:
    """Whole months up to the present one, as they begin in a site's zone."""

    months: tuple[date, ...]
    """The first day of each, the oldest first."""
    starts: tuple[datetime, ...]
    """The first moment of each, in UTC."""

    @classmethod
    def of(cls, length: int, now: datetime, zone: tzinfo) -> Self:
        """Return the last ``length`` months."""
        here = now.astimezone(zone)
        present = here.year * 12 + here.month - 1
        months = tuple(
            date(number // 12, number % 12 + 1, 1)
            for number in range(present - length + 1, present + 1)
        )
        starts = (datetime.combine(one, time(), zone).astimezone(UTC) for one in months)
        return cls(months=months, starts=tuple(starts))


@dataclass(frozen=True, kw_only=True)
class Month:
    """What was judged in one month, and what has become of it since."""

    first: date
    outcomes: Mapping[Outcome, int] = field(default_factory=dict)
    degraded: int = 0
    retired: int = 0
    signed: int = 0
    overridden: int = 0
    withdrawn: int = 0
    refusals: Mapping[str, int] = field(default_factory=dict)
    """By the codes of reasons, of which one result may have several."""
    beside: Mapping[tuple[Density, Outcome], int] = field(default_factory=dict)
    """What was said of images beside T-scores that apply to the patient; retired results aside."""

    @property
    def results(self) -> int:
        return sum(self.outcomes.values())

    @property
    def unread(self) -> int:
        """Results on which no signature stands and none was withdrawn."""
        return self.results - self.signed - self.overridden - self.withdrawn

    @property
    def override_rate(self) -> float | None:
        """The part of what is read that was overridden; None where nothing is."""
        read = self.signed + self.overridden
        return self.overridden / read if read else None

    @property
    def compared(self) -> int:
        """Results beside a T-score, whatever their outcome."""
        return sum(self.beside.values())

    @property
    def answered(self) -> int:
        """Of these the ones with an answer: an indeterminate one says neither."""
        return sum(count for (_, outcome), count in self.beside.items() if outcome in _ANSWERS)

    @property
    def agreement(self) -> float | None:
        """The part of the answers that say what the T-score does; None where there are none."""
        same = self.beside.get(("osteoporosis", "osteoporosis"), 0)
        same += self.beside.get(("above", "normal"), 0)
        return same / self.answered if self.answered else None


_ANSWERS: Final = ("normal", "osteoporosis")


@dataclass(frozen=True, kw_only=True)
class VersionUse:
    """Which results came from one version of a model."""

    version: str
    results: int
    first: datetime
    last: datetime


@dataclass(frozen=True, kw_only=True)
class Use:
    """All of it, the oldest month first and the newest version first."""

    months: tuple[Month, ...]
    versions: tuple[VersionUse, ...]
    """Of all results that are kept, however old."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A setting as it is, secrets hidden."""

    variable: str
    value: str
    default: str
    help: str


@dataclass(frozen=True)
class ShownSettings:
    """Every setting of the front, for those who look after it."""

    rows: tuple[Setting, ...]
