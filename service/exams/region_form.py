"""The part of the form that numbers of single vertebrae, hip and forearm are entered in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from service.exams.measurements import QUANTITIES, Measured, Quantity, latest
from service.exams.parts import BESIDE_SPINE, SIDED, BesideSpine
from service.exams.regions import Regions
from service.exams.wording import QUANTITIES as QUANTITY_WORDS
from service.exams.wording import REGIONS, SIDES, region, written
from service.language.locale import N_, _
from service.web.forms import Field, FieldGroup, number, options

Entered = Quantity | Literal["side"]

FIELDS: Final[Mapping[str, tuple[BesideSpine, Entered]]] = {
    f"regions_{region}_{part}": (region, part)
    for region in BESIDE_SPINE
    for part in (*QUANTITIES, *(("side",) if region in SIDED else ()))
}
"""What the form's fields are of, by their names."""

_LABELS: Final[Mapping[Entered, str]] = {
    "bmd_g_cm2": N_("BMD, g/cm²"),
    "t_score": N_("T-score"),
    "z_score": N_("Z-score"),
    "side": N_("Side"),
}
_SIDES: Final[Mapping[str, str]] = {
    "": N_("Not given"), "left": SIDES["left"], "right": SIDES["right"]
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class RegionFields(FieldGroup):
    id: str
    hint: str
    """What the scanner says of the region."""


def label(name: str) -> str:
    """Return what a field is called apart from its group: ``L1, T-score``."""
    of, part = FIELDS[name]
    said = _("Side") if part == "side" else _(QUANTITY_WORDS[part])
    return f"{_(REGIONS[of])}, {said}"


def parse(fields: Mapping[str, str]) -> dict[str, Any]:
    """Return the regions in a form's fields, as the JSON of facts has them."""
    found: dict[str, Any] = {}
    for name, value in fields.items():
        of, part = FIELDS[name]
        found.setdefault(of, {})[part] = value.strip() if part == "side" else number(value)
    return found


def fields_of(regions: Regions | None) -> dict[str, str]:
    """Return ``regions`` as the form's fields, as :func:`parse` reads them."""
    return {name: str(value) for name, value in _given(regions).items()}


def readable(regions: Regions | None) -> dict[str, str]:
    """Return ``regions`` as they are read, by the form's field."""
    found: dict[str, str] = {}
    for name, value in _given(regions).items():
        part = FIELDS[name][1]
        found[name] = _(_SIDES[value]) if part == "side" else written(part, value)
    return found


def groups(
    sent: Mapping[str, str], errors: MutableMapping[str, str], measured: Iterable[Measured]
) -> tuple[RegionFields, ...]:
    """Return the fields by region, as they were sent, beside what was ``measured``.

    What is wrong with them is taken out of ``errors``.
    """
    hints: dict[str, list[str]] = {}
    for one in latest(measured).values():
        numbers = ((name, getattr(one, name)) for name in QUANTITIES)
        told = [f"{_(QUANTITY_WORDS[it])} {written(it, v)}" for it, v in numbers if v is not None]
        if told:
            place = region(one.region, None, one.side)
            hints.setdefault(one.region, []).append(f"{place}: {', '.join(told)}")
    return tuple(
        RegionFields(
            title=_(REGIONS[of]),
            id=f"regions_{of}",
            fields=tuple(
                _field(name, part, sent.get(name, ""), errors.pop(name, ""))
                for name, (whose, part) in FIELDS.items()
                if whose == of
            ),
            error=errors.pop(f"regions_{of}", ""),
            hint=_("The scanner says: %(numbers)s.", numbers="; ".join(hints[of]))
            if of in hints
            else "",
        )
        for of in BESIDE_SPINE
    )


def _given(regions: Regions | None) -> dict[str, Any]:
    given = {} if regions is None else regions.given
    found = {name: getattr(given[of], part) for name, (of, part) in FIELDS.items() if of in given}
    return {name: value for name, value in found.items() if value is not None}


def _field(name: str, part: Entered, value: str, error: str) -> Field:
    side = part == "side"
    return Field(
        name=name,
        id=name,
        label=_(_LABELS[part]),
        kind="select" if side else "text",
        value=value,
        options=options(_SIDES, value) if side else (),
        # A telephone's pad of decimals may have no minus, which scores need.
        inputmode="decimal" if part == "bmd_g_cm2" else "",
        error=error,
    )
