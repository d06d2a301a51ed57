"""Numbers, dates and lists as the current language writes them."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from babel.dates import format_date, format_datetime
from babel.lists import format_list
from babel.numbers import format_decimal

from service.language.locale import SOURCE, current


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
    """Return ``23 November 2026, 14:05 UTC``. ``value`` knows its zone."""
    utc = value.astimezone(datetime.UTC)
    return f"{day(utc)}, {format_datetime(utc, 'HH:mm', locale=current().locale)} UTC"


def listing(names: Iterable[str]) -> str:
    """Return ``CNN, VGG16 and ResNet``; nothing for no names."""
    return format_list(list(names), locale=current().locale)
