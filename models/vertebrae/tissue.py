"""Where soft tissue lies beside the column in a canonical image, by numpy alone for the front."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.image.recipe import COLUMNS, ROWS, SIDE

NEAR: Final = 4
FAR: Final = 22
"""Canonical pixels from the column between which tissue is soft tissue."""

FLOOR: Final = 8.0
"""Grey levels that bone stands above soft tissue at least: with less nothing is divided by it."""


def beside(column: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the bands of soft tissue on both sides of ``column`` (224, 224), at its height."""
    across = np.arange(SIDE)
    rows = np.flatnonzero(column.any(1))
    left = column[rows].argmax(1)[:, None]
    right = SIDE - 1 - column[rows, ::-1].argmax(1)[:, None]
    apart = np.maximum(left - across, across - right)
    bands = np.zeros_like(column)
    bands[rows] = (apart >= NEAR) & (apart <= FAR)
    within = np.zeros_like(column)
    within[ROWS, COLUMNS] = True
    return bands & within
