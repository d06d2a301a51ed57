"""Points as text: a field of the form for each vertebra, ``x,y`` six times."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Final

from models.vertebrae.morphometry import LATERAL_LEVELS, LateralLevel
from service.errors import Fault
from service.language.locale import N_, _
from service.medicine.morphometry.schemas import MOST, Points, PointsError, Vertebra
from service.web.forms import Field

_NUMBER: Final = r"-?\d{1,5}(?:\.\d{1,3})?"
_POINT: Final = rf"{_NUMBER}\s*,\s*{_NUMBER}"
_POINTS: Final = re.compile(rf"\s*{_POINT}(?:[\s;]+{_POINT}){{5}}\s*")
_SENTENCE: Final = N_(
    "Six points are needed, each as x,y with a full stop for decimals and a blank between them."
)
LONGEST: Final = 160


def parse(sent: Mapping[str, str]) -> Points:
    """Return the points that were typed; vertebrae that were left empty are not there.

    Raises :class:`~service.medicine.morphometry.schemas.PointsError`, whose faults name fields.
    """
    found: list[Vertebra] = []
    wrong: list[Fault] = []
    for level in LATERAL_LEVELS:
        if level not in sent:
            continue
        points = _points(sent[level])
        if points is None:
            wrong.append(Fault(level, "points", _SENTENCE))
            continue
        found.append(Vertebra(level=level, upper=points[0], lower=points[1]))
    if wrong:
        raise PointsError(wrong)
    if not found:
        raise PointsError([Fault("L1", "missing", N_("Set the points of one vertebra at least."))])
    asked = Points(vertebrae=tuple(found))
    try:
        asked.graded()
    except PointsError as error:
        raise beside(asked, error) from None
    return asked


def beside(points: Points, error: PointsError) -> PointsError:
    """Return ``error`` with the fields that a form has of what is at fault in ``points``."""
    return PointsError(
        Fault(_level(points, one.field), one.code, one.sentence, one.values) for one in error.faults
    )


_Plate = tuple[tuple[float, float], tuple[float, float], tuple[float, float]]


def _points(text: str) -> tuple[_Plate, _Plate] | None:
    if len(text) > LONGEST or not _POINTS.fullmatch(text):
        return None
    numbers = [float(one) for one in re.findall(_NUMBER, text)]
    if not all(math.isfinite(one) and abs(one) <= MOST for one in numbers):
        return None
    a, b, c, d, e, f = zip(numbers[::2], numbers[1::2], strict=True)
    return (a, b, c), (d, e, f)


def _level(points: Points, field: str) -> LateralLevel:
    return points.vertebrae[int(field.rsplit(".", 1)[-1])].level


def typed(points: Iterable[Vertebra]) -> dict[str, str]:
    """Return the form's fields with ``points`` in them."""
    return {
        one.level: " ".join(f"{_short(x)},{_short(y)}" for x, y in (*one.upper, *one.lower))
        for one in points
    }


def _short(value: float) -> str:
    """Return a coordinate as it is typed: no finer than a form takes it, without empty digits."""
    return f"{value:.3f}".rstrip("0").rstrip(".")


def fields(sent: Mapping[str, str], faults: Mapping[str, Fault]) -> tuple[Field, ...]:
    """Return the form with what was ``sent`` in it, and each fault beside its field."""
    return tuple(_field(level, sent.get(level, ""), faults.get(level)) for level in LATERAL_LEVELS)


def _field(level: LateralLevel, value: str, fault: Fault | None) -> Field:
    return Field(
        name=level,
        id=f"points-{level}",
        label=level,
        value=value,
        error=_(fault.sentence, **fault.values) if fault else "",
        maxlength=LONGEST,
    )
