"""Fields of HTML forms: what ``forms.html`` draws, and the numbers that are typed into them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from service.language.locale import _


@dataclass(frozen=True, kw_only=True)
class Option:
    value: str
    label: str
    selected: bool


@dataclass(frozen=True, kw_only=True)
class Field:
    """A label and its control, with what was typed and what is wrong with it.

    ``kind`` is an HTML input's type, or ``select`` with ``options``, or ``textarea``; a checkbox is
    ticked where it has a ``value``. What is not explained is HTML's attribute of that name.
    """

    name: str
    id: str
    label: str
    kind: Literal["text", "date", "select", "textarea", "checkbox", "password"] = "text"
    value: str = ""
    options: tuple[Option, ...] = ()
    hint: str = ""
    error: str = ""
    inputmode: Literal["", "text", "numeric", "decimal"] = ""
    required: bool = False
    minlength: int | None = None
    maxlength: int | None = None
    pattern: str = ""
    autocomplete: str = "off"
    autocapitalize: Literal["", "none"] = ""


@dataclass(frozen=True, kw_only=True)
class FieldGroup:
    title: str
    fields: tuple[Field, ...]
    error: str = ""


def options(labels: Mapping[str, str], chosen: str) -> tuple[Option, ...]:
    """Return ``labels`` (by value, marked for translation) with the one of value ``chosen``."""
    return tuple(
        Option(value=value, label=_(label), selected=value == chosen)
        for value, label in labels.items()
    )


def number(text: str) -> int | float | str:
    """Return the number that was typed, with a decimal point or comma.

    What no number can be made of stays text, to be refused as such.
    """
    plain = text.strip().replace(",", ".").replace("−", "-")
    try:
        return int(plain)
    except ValueError:
        pass
    try:
        return float(plain) if math.isfinite(float(plain)) else text
    except ValueError:
        return text
