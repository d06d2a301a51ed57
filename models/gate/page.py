"""Signs of a printed page: flat ground, few levels, and the many short strokes of letters."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.image.recipe import Canonical


def measure(canonical: Canonical) -> dict[str, float]:
    """Return shares and densities over the whole of ``canonical`` (224, 224)."""
    right = _steps(canonical[:, 1:], canonical[:, :-1])
    down = _steps(canonical[1:], canonical[:-1])
    strokes = right > _level(0.25)
    by_row = _shares(strokes, 1)
    by_column = _shares(strokes, 0)
    border = np.concatenate(
        [
            canonical[:6].ravel(),
            canonical[-6:].ravel(),
            canonical[:, :6].ravel(),
            canonical[:, -6:].ravel(),
        ]
    )
    flat = (right[:-1] <= _level(0.006)) & (down[:, :-1] <= _level(0.006))
    light = canonical > _level(0.9)
    return {
        "flat": _share(flat),
        "flat_light": _share(flat & light[:-1, :-1]),
        "light": _share(light),
        "dark": _share(canonical <= _level(0.03)),
        "border_light": _share(border > _level(0.9)),
        "border_flat": _share(np.abs(border - np.median(border)) < 0.02 * 255),
        "strokes": _share(strokes),
        "stroke_rows": float((by_row > 0.06).mean()),
        "stroke_row_most": float(np.sort(by_row)[-12:].mean()),
        "stroke_columns": float((by_column > 0.03).mean()),
        "flat_columns": float((_shares(flat, 0) > 0.85).mean()),
        "flat_rows": float((_shares(flat, 1) > 0.85).mean()),
        "steep_lines": float(_shares(down > _level(0.3), 1).max()),
        "steep_uprights": float(_shares(right > _level(0.3), 0).max()),
    }


def _level(share: float) -> int:
    """Return the highest grey level that is no more than ``share`` of white."""
    return int(share * 255)


def _steps(one: Canonical, other: Canonical) -> Canonical:
    """Return by how many levels each pixel of ``one`` differs from that of ``other``."""
    return np.asarray(np.maximum(one, other) - np.minimum(one, other))


def _share(mask: NDArray[np.bool_]) -> float:
    # A tenth of what mask.mean() takes.
    return np.count_nonzero(mask) / mask.size


def _shares(mask: NDArray[np.bool_], axis: int) -> NDArray[np.float64]:
    # A fifth of what mask.mean(axis) takes; no side is longer than what a byte counts to.
    return np.asarray(mask.view(np.uint8).sum(axis, dtype=np.uint8) / mask.shape[axis])
