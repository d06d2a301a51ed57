"""Points that are proposed for an image, which nobody has set: a start for a reader to move."""

from __future__ import annotations

import io
from typing import Final

import numpy as np
from PIL import Image

from models.vertebrae.geometry import Point
from models.vertebrae.morphometry import LateralLevel
from models.vertebrae.proposal import propose
from service.medicine.morphometry.schemas import Vertebra
from service.medicine.sent import SentImage

DIGITS: Final = 1
"""Of a pixel, to which points are proposed: those of a form and of JSON are the same then."""


def proposed(sent: SentImage) -> dict[LateralLevel, Vertebra]:
    """Return points that are proposed for an image, in its pixels as sent.

    Empty where no row of bodies is found.
    """
    with Image.open(io.BytesIO(sent.png)) as picture:
        grey = np.asarray(picture.convert("L"))
    rows, columns = grey.shape
    across, down = sent.box.width / columns, sent.box.height / rows

    def placed(points: tuple[Point, Point, Point]) -> tuple[Point, Point, Point]:
        a, b, c = (
            (
                round(float(sent.box.left + x * across), DIGITS),
                round(float(sent.box.top + y * down), DIGITS),
            )
            for x, y in points
        )
        return a, b, c

    return {
        level: Vertebra(level=level, upper=placed(one.upper), lower=placed(one.lower))
        for level, one in propose(grey).items()
    }
