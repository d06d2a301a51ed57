"""The curve L1–L4 as an angle with an interval: by how much the column turns from L1 to L4.

The angle is that between the column's directions at L1 and at L4, of the parabola through the four
centres (:func:`models.vertebrae.report.tangents`). End plates are not asked: where the network sets
them follows the lines that densitometers draw across the field, and their tilts have a fifth of the
curve that was drawn. It is a screening angle of a lying patient in the frontal plane, and no Cobb
angle (domain.md §2.3).

numpy alone: the front tells of every image.
"""

from __future__ import annotations

from typing import Final

NOMINAL: Final = 0.9
"""Share of intervals that hold the angle that was drawn."""

HALF: Final = 2.7
"""Degrees to either side that hold it so often: the 90th percentile of how far the served network's
angle was off on 540 phantoms of 0 to 30 degrees, half of them from the wider ranges (split
conformal prediction: Vovk et al., 2005). ``tests/models/vertebrae/test_curvature.py`` measures it
anew on others. On phantoms: how far it is off on people is not known.
"""


def interval(degrees: float) -> tuple[float, float]:
    """Return between which angles in degrees, none below 0, a curve of ``degrees`` lies."""
    return max(0.0, degrees - HALF), degrees + HALF
