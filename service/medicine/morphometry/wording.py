"""Grades and shapes in words. No sentence says that there is, or is no, fracture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from models.vertebrae.morphometry import Grade, Graded, Shape
from service.language.formats import number, percent
from service.language.locale import N_, _

_GRADES: Final[Mapping[Grade, str]] = {
    0: N_("grade 0: less than 20 % lost"),
    1: N_("grade 1, mild: 20 to 25 % lost"),
    2: N_("grade 2, moderate: over 25 to 40 % lost"),
    3: N_("grade 3, severe: over 40 % lost"),
}
_SHAPES: Final[Mapping[Shape, str]] = {
    "wedge": N_("wedge: the front is low"),
    "biconcave": N_("biconcave: the middle is low"),
    "crush": N_("crush: the back is low too, against its neighbours"),
}


def graded(found: Graded) -> str:
    """Return grade and shape."""
    said = _(_GRADES[found.grade])
    return said if found.shape is None else f"{said}; {_(_SHAPES[found.shape])}"


def height(value: float) -> str:
    return number(value, 1)


def lost(share: float | None) -> str:
    """Return how much of a height is lost; none where it is higher than what it is held against."""
    if share is None:
        return _("nothing to hold it against")
    return percent(max(share, 0.0), 1)


def origin(as_proposed: bool) -> str:
    """Return whose the points of a vertebra are that a reader has kept."""
    return _("kept as proposed, unmoved") if as_proposed else _("set by the reader")
