"""Series and models small enough to reckon with by hand."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.progression import series as rows
from models.progression.mixed import Mixed
from models.progression.series import Series
from models.progression.visit import YEAR, Visit

ALL = ("L1", "L2", "L3", "L4")
PRECISION = 0.010


def visit(years: float, bmd: float, **more: Any) -> Visit:
    told: dict[str, Any] = {
        "on": date(2010, 1, 1) + timedelta(days=round(years * YEAR)),
        "age": 65.0 + years,
        "bmd": bmd,
        "machine": "A",
        "vertebrae": ALL,
        **more,
    }
    return Visit(**told)


def series(*visits: Visit) -> Series:
    return rows.of("female", visits, visits, PRECISION)


def flat(**more: float) -> Mixed:
    """Return a model that expects no change of anybody."""
    told = {"slope": 0.005, "response": 0.3, "walk": 0.004, "extra": 0.0, **more}
    return Mixed(effects=(0.0,) * rows.COLUMNS, **told)


def years(*values: float) -> NDArray[np.float64]:
    return np.array(values, dtype=float)
