"""Numbers, dates and lists as the current language writes them, times in the site's zone."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from babel.dates import format_date
from babel.lists import format_list
from babel.numbers import format_decimal

from service.language.locale import SOURCE, current

_zone: ContextVar[datetime.tzinfo] = ContextVar("zone", default=datetime.UTC)


def zone() -> datetime.tzinfo:
    """The zone that times are told in; UTC outside of a request."""
    return _zone.get()


@contextmanager
def telling_time_in(found: datetime.tzinfo) -> Iterator[None]:
    """Have times told in a zone inside the block."""
    token = _zone.set(found)
    try:
        yield
    finally:
        _zone.reset(token)


def number(value: float, digits: int = 0, *, signed: bool = False) -> str:
    """Return ``value`` with ``digits`` decimals: ``1,234.5``; a minus is a minus, not a hyphen."""
    form = "#,##0" + ("." + "0" * digits if digits else "")
    pattern = f"+{form};-{form}" if signed else form
    return format_decimal(value, pattern, current().locale).replace("-", "−")


def percent(part: float, digits: int = 1) -> str:
    """Return ``part`` (0…1) as ``63.8 %``."""
    return f"{number(part * 100, digits)} %"


def day(value: datetime.date) -> str:
    """Return ``23 November 2026``."""
    return format_date(value, "d MMMM y" if current().code == SOURCE else "long", current().locale)


def moment(value: datetime.datetime) -> str:
    """Return ``23 November 2026, 14:05 CET``. ``value`` knows its zone."""
    here = value.astimezone(zone())
    return f"{day(here)}, {here:%H:%M} {zone_name(here)}"


def zone_name(here: datetime.datetime) -> str:
    """Return what the zone of ``here`` is called then: ``UTC``, ``CET``, ``UTC+04``."""
    name = here.tzname() or ""
    return f"UTC{name}" if name.startswith(("+", "-")) else name


def listing(names: Iterable[str]) -> str:
    """Return ``CNN, VGG16 and ResNet``; nothing for no names."""
    return format_list(list(names), locale=current().locale)
