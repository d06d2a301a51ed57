"""How a region is placed without a script: two pictures that are clicked on, and five numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from service.errors import Fault
from service.language.locale import N_, _
from service.medicine.modalities.ct.schemas import Placed, SeriesAnswer, read
from service.medicine.modalities.ct.view import CONTRASTS
from service.web.forms import Field, number, options

LABELS: Final[Mapping[str, str]] = {
    "slice": N_("Slice, 1 is the uppermost"),
    "x": N_("Centre, pixels from the left"),
    "y": N_("Centre, pixels from the top"),
    "radius_x_mm": N_("Half width, mm"),
    "radius_y_mm": N_("Half height, mm"),
}
CONTRAST: Final = N_("Contrast medium, where you know more than the file")
_CHOICES: Final[Mapping[str, str]] = {"": N_("As the file says"), **CONTRASTS}

RADII: Final = (9.0, 7.0)
"""Half axes in mm that a region has at first: well within L1's trabecular body."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Where a region is looked at before it is kept; ``x`` is None until a place was chosen."""

    slice: int
    x: float | None
    y: float | None
    radius_x_mm: float
    radius_y_mm: float

    @property
    def region(self) -> dict[str, Any] | None:
        """What :func:`~service.medicine.modalities.ct.schemas.read` reads."""
        if self.x is None or self.y is None:
            return None
        return {name: getattr(self, name) for name in LABELS}

    @property
    def query(self) -> str:
        """The region as a picture's address has it; empty without one."""
        if self.x is None or self.y is None:
            return ""
        names = ("x", "y", "radius_x_mm", "radius_y_mm")
        return "?" + "&".join(f"{name}={getattr(self, name):g}" for name in names)


def chosen(sent: Mapping[str, str], series: SeriesAnswer, overview: tuple[int, int]) -> Choice:
    """Return what a query chooses: by numbers, or by a click on one of the pictures.

    ``overview`` is that picture's width and height. What cannot be is left out.
    """
    numbers = {name: _float(sent.get(name, "")) for name in LABELS}
    slice_ = _nearest(series.slices, numbers["slice"])
    level, across, down = (_float(sent.get(name, "")) for name in ("level.y", "at.x", "at.y"))
    if level is not None:
        share = min(max(level / overview[1], 0.0), 1.0)
        slice_ = _nearest(series.slices, 1 + int(share * series.received))
    return Choice(
        slice=slice_,
        x=numbers["x"] if across is None else across,
        y=numbers["y"] if down is None else down,
        radius_x_mm=numbers["radius_x_mm"] or RADII[0],
        radius_y_mm=numbers["radius_y_mm"] or RADII[1],
    )


def parse(fields: Mapping[str, str]) -> Placed:
    """Return the region in a form's fields. Raises ``RegionFieldsError``."""
    given: dict[str, Any] = {
        name: number(value) if name in LABELS else value.strip() for name, value in fields.items()
    }
    return read(given)


def numbers(choice: Choice, faults: Sequence[Fault] = ()) -> tuple[Field, ...]:
    """Return the fields of a region as they stand, and what is wrong with them."""
    errors = _errors(faults)
    found = []
    for name, label in LABELS.items():
        value = getattr(choice, name)
        found.append(
            Field(
                name=name,
                id=name,
                label=_(label),
                value="" if value is None else f"{value:g}",
                inputmode="numeric" if name == "slice" else "decimal",
                error=errors.get(name, ""),
            )
        )
    return tuple(found)


def contrast(sent: str) -> Field:
    """Return the field by which a reader says what the file does not."""
    return Field(
        name="contrast",
        id="contrast",
        label=_(CONTRAST),
        kind="select",
        value=sent,
        options=options(_CHOICES, sent),
    )


def other(faults: Sequence[Fault]) -> str:
    """Return what is wrong with no single field."""
    return next((text for name, text in _errors(faults).items() if name not in LABELS), "")


def _errors(faults: Sequence[Fault]) -> dict[str, str]:
    allowed = {fault.field: fault.values["allowed"] for fault in faults}
    return {
        name: _("This cannot be taken. Allowed: %(allowed)s.", allowed=_(sentence))
        for name, sentence in allowed.items()
    }


def _float(text: str) -> float | None:
    value = number(text)
    return float(value) if isinstance(value, (int, float)) and abs(value) < 1e6 else None


def _nearest(kept: Sequence[int], wanted: float | None) -> int:
    """Return the slice that is kept nearest to the one that is asked for, else the middle one."""
    if wanted is None:
        return kept[len(kept) // 2]
    return min(kept, key=lambda one: abs(one - wanted))
