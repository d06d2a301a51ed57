"""From a calibrated probability to an outcome. The only place that knows the rule."""

from __future__ import annotations

from typing import Literal

Decision = Literal["osteoporosis", "normal", "indeterminate"]


def decide(probability: float, threshold: float, band: tuple[float, float]) -> Decision:
    """Return ``indeterminate`` inside the band (its ends included), else the side of threshold."""
    low, high = band
    if low <= probability <= high:
        return "indeterminate"
    return "osteoporosis" if probability >= threshold else "normal"
