"""Signs of a printed page: flat ground, few levels, and the many short strokes of letters."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.gate.spine import Field


def measure(image: Field) -> dict[str, float]:
    """Return shares and densities over the whole of ``image`` (224, 224), levels 0…1."""
    right = np.abs(np.diff(image, axis=1))
    down = np.abs(np.diff(image, axis=0))
    strokes = right > 0.25
    by_row = strokes.mean(1)
    by_column = strokes.mean(0)
    border = np.concatenate(
        [image[:6].ravel(), image[-6:].ravel(), image[:, :6].ravel(), image[:, -6:].ravel()]
    )
    flat = (right[:-1] < 0.006) & (down[:, :-1] < 0.006)
    light = image > 0.9
    return {
        "flat": _share(flat),
        "flat_light": _share(flat & light[:-1, :-1]),
        "light": _share(light),
        "dark": _share(image < 0.03),
        "border_light": _share(border > 0.9),
        "border_flat": _share(np.abs(border - np.median(border)) < 0.02),
        "strokes": _share(strokes),
        "stroke_rows": float((by_row > 0.06).mean()),
        "stroke_row_most": float(np.sort(by_row)[-12:].mean()),
        "stroke_columns": float((by_column > 0.03).mean()),
        "flat_columns": float((flat.mean(0) > 0.85).mean()),
        "flat_rows": float((flat.mean(1) > 0.85).mean()),
        "steep_lines": float((down > 0.3).mean(1).max()),
        "steep_uprights": float((right > 0.3).mean(0).max()),
    }


def _share(mask: NDArray[np.bool_]) -> float:
    # A tenth of what mask.mean() takes.
    return np.count_nonzero(mask) / mask.size
