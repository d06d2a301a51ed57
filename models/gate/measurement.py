"""All that is measured on a canonical image, by name, in one fixed order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.gate import metal, page, spine, texture
from models.gate.reason import Reason
from models.image.recipe import Canonical

DETECTED_BY: Final[Mapping[Reason, tuple[str, ...]]] = {
    Reason.BURNED_IN_SHEET: (
        "flat",
        "flat_light",
        "light",
        "dark",
        "border_light",
        "border_flat",
        "strokes",
        "stroke_rows",
        "stroke_row_most",
        "stroke_columns",
        "flat_columns",
        "flat_rows",
        "steep_lines",
        "steep_uprights",
    ),
    Reason.OFF_CENTRE: ("off_middle", "off_edge", "lopsided", "misfit"),
    Reason.IMPLANT: (
        "metal_thin",
        "metal_thick",
        "metal_rows",
        "metal_columns",
        "metal_paired",
        "metal_run",
        "metal_both_sides",
        "metal_steep",
        "level_median",
        "level_90",
        "level_98",
    ),
    Reason.OBESITY_NOISE: (
        "grain_fine",
        "grain_coarse",
        "grain_to_bone",
        "grain_90",
        "grain_right",
        "grain_down",
        "contrast",
    ),
}
"""What each detector looks at: few measurements, because true scans are few."""

NAMES: Final = tuple(dict.fromkeys(name for names in DETECTED_BY.values() for name in names))
"""The order of :func:`vector`; stored with the weights."""


def measure(canonical: Canonical) -> dict[str, float]:
    """Return every measurement of ``canonical``, finite for any pixels."""
    image = canonical.astype(np.float32) / np.float32(255)
    course = spine.Course.of(image)
    found = spine.measure(course)
    return {
        **found,
        **metal.measure(course.straight),
        **texture.noise(image, found["contrast"]),
        **page.measure(canonical),
    }


def vector(canonical: Canonical) -> NDArray[np.float32]:
    """Return the measurements that detectors use, as :data:`NAMES` orders them, float32."""
    found = measure(canonical)
    return np.array([found[name] for name in NAMES], np.float32)
