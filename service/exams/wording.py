"""Regions, sides and quantities of densitometry in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from service.exams.measurements import Quantity, Region, Side
from service.exams.parts import VERTEBRAE, Vertebra
from service.language.formats import listing, number
from service.language.locale import N_, _

REGIONS: Final[Mapping[Region, str]] = {
    **{name: name for name in VERTEBRAE},
    "lumbar_spine": N_("Lumbar spine"),
    "femoral_neck": N_("Femoral neck"),
    "total_hip": N_("Total hip"),
    "one_third_radius": N_("One-third radius"),
}
SIDES: Final[Mapping[Side, str]] = {"left": N_("left"), "right": N_("right")}
QUANTITIES: Final[Mapping[Quantity, str]] = {
    "bmd_g_cm2": N_("BMD"),
    "t_score": N_("T-score"),
    "z_score": N_("Z-score"),
}


def region(name: Region, vertebrae: Iterable[Vertebra] | None, side: Side | None) -> str:
    """Return a region as it is read, with those of its vertebrae and its side that are known."""
    said, levels = _(REGIONS[name]), tuple(vertebrae or ())
    if len(levels) > 1:
        said = f"{said}, {listing(levels)}"
    return f"{said}, {_(SIDES[side])}" if side else said


def written(quantity: str, value: float | None) -> str:
    """Return a number with the decimals of a printed report; a dash for none."""
    if value is None:
        return "–"
    return number(value, 3 if quantity == "bmd_g_cm2" else 1)
