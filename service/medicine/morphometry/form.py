"""Points as text: a field of the form for each vertebra, ``x,y`` six times."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Mapping
from typing import Final

import numpy as np
from PIL import Image

from models.vertebrae.morphometry import LATERAL_LEVELS, LateralLevel
from models.vertebrae.proposal import propose
from service.errors import Fault
from service.language.locale import N_, _
from service.medicine.morphometry.schemas import MOST, Points, PointsError, Vertebra
from service.medicine.sent import SentImage
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
        raise PointsError(
            Fault(_level(asked, one.field), one.code, one.sentence, one.values)
            for one in error.faults
        ) from None
    return asked


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


def proposed(sent: SentImage) -> dict[str, str]:
    """Return the form's fields with points that are proposed for an image, in its pixels as sent.

    Empty where no row of bodies is found.
    """
    with Image.open(io.BytesIO(sent.png)) as picture:
        grey = np.asarray(picture.convert("L"))
    rows, columns = grey.shape
    across, down = sent.box.width / columns, sent.box.height / rows
    return {
        level: " ".join(
            f"{sent.box.left + x * across:.1f},{sent.box.top + y * down:.1f}"
            for x, y in (*one.upper, *one.lower)
        )
        for level, one in propose(grey).items()
    }


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
