"""Signs of a printed page: flat ground, few levels, and the many short strokes of letters."""

from __future__ import annotations

from typing import Final

import numpy as np

from models.image.recipe import Canonical

WHITE: Final = 255


def measure(canonical: Canonical) -> dict[str, float]:
    """Return shares and densities over the whole of ``canonical`` (224, 224)."""
    image = canonical.astype(np.int16)
    right, down = np.abs(np.diff(image, axis=1)), np.abs(np.diff(image, axis=0))
    strokes = right > 0.25 * WHITE
    by_row, by_column = strokes.mean(1), strokes.mean(0)
    border = np.concatenate(
        [image[:6].ravel(), image[-6:].ravel(), image[:, :6].ravel(), image[:, -6:].ravel()]
    )
    flat = (right[:-1] <= 0.006 * WHITE) & (down[:, :-1] <= 0.006 * WHITE)
    light = image > 0.9 * WHITE
    found = {
        "flat": flat.mean(),
        "flat_light": (flat & light[:-1, :-1]).mean(),
        "light": light.mean(),
        "dark": (image <= 0.03 * WHITE).mean(),
        "border_light": (border > 0.9 * WHITE).mean(),
        "border_flat": (np.abs(border - np.median(border)) < 0.02 * WHITE).mean(),
        "strokes": strokes.mean(),
        "stroke_rows": (by_row > 0.06).mean(),
        "stroke_row_most": np.sort(by_row)[-12:].mean(),
        "stroke_columns": (by_column > 0.03).mean(),
        "flat_columns": (flat.mean(0) > 0.85).mean(),
        "flat_rows": (flat.mean(1) > 0.85).mean(),
        "steep_lines": (down > 0.3 * WHITE).mean(1).max(),
        "steep_uprights": (right > 0.3 * WHITE).mean(0).max(),
    }
    return {name: float(value) for name, value in found.items()}
