"""What is brighter than bone: metal and contrast medium, by the area that saturates."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.gate.spine import REACH, Field, ranked

SATURATED: Final = 0.97
"""The recipe makes the brightest 0.5 % white; a line drawn by the scanner is white as well."""


def measure(straight: Field) -> dict[str, float]:
    """Return shares of the band around the midline (224, 129), and what shape they have.

    Lines and letters of an overlay are one or two pixels thick: erosion takes them away.
    """
    bright = straight >= SATURATED
    thin = _eroded(bright)
    thick = _eroded(thin)
    rows, columns = np.asarray(thin.any(1)), thin.any(0)
    weight = thin.sum(0)
    total = float(weight.sum())
    left, right = float(weight[:REACH].sum()), float(weight[REACH + 1 :].sum())
    paired = (thin[:, :REACH].any(1) & thin[:, REACH + 1 :].any(1)).mean()
    levels = ranked(straight[::2, ::2], (0.5, 0.9, 0.98))
    return {
        "metal_thin": float(np.log1p(1000 * thin.mean())),
        "metal_thick": float(np.log1p(1000 * thick.mean())),
        "metal_rows": float(rows.mean()),
        "metal_columns": float(columns.mean()),
        "metal_paired": float(paired),
        "metal_run": _longest(rows) / len(rows),
        "metal_both_sides": 2 * min(left, right) / (total + 1.0),
        "metal_steep": float(_steep(straight, thin)),
        "level_median": levels[0],
        "level_90": levels[1],
        "level_98": levels[2],
    }


def _eroded(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return where the 3×3 pixels around are all set."""
    inner = mask[:-2] & mask[1:-1] & mask[2:]
    eroded = np.zeros_like(mask)
    eroded[1:-1, 1:-1] = inner[:, :-2] & inner[:, 1:-1] & inner[:, 2:]
    return eroded


def _longest(set_: NDArray[np.bool_]) -> int:
    """Return the length of the longest run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], set_, [False]])))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def _steep(image: Field, metal: NDArray[np.bool_]) -> float:
    """Return how far levels fall five pixels from ``metal``: bone fades, metal ends."""
    if not metal.any():
        return 0.0
    around = np.pad(image, 5, mode="edge")
    rows = np.minimum(around[:-10, 5:-5], around[10:, 5:-5])
    columns = np.minimum(around[5:-5, :-10], around[5:-5, 10:])
    return float(1.0 - np.minimum(rows, columns)[metal].mean())
