"""The curve L1–L4 as an angle with an interval: by how much the column turns from L1 to L4.

The angle is that between the directions of the column's middle line at the centres of L1 and L4.
The line runs half way between the column's two sides, from one vertebra above L1 to one below L4 as
far as the image shows them, and is fitted by Huber's robust regression: a parabola around L1–L4
that runs straight on beyond (:data:`BEND`), as a natural spline does. Neighbours steady it: one
vertebra's sides may bulge by more than a curve moves it. Where no sides are known it is the
parabola through the centres (:func:`models.vertebrae.report.tangents`).

End plates are not asked: where the network sets them follows the lines that densitometers draw
across the field, and their tilts have a fifth of the curve that was drawn. It is a screening angle
of a lying patient in the frontal plane, and no Cobb angle (domain.md §2.3).

numpy alone: the front tells of every image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from models.vertebrae.geometry import LEVELS, Spine

NOMINAL: Final = 0.9
"""Share of intervals that hold the angle that was drawn."""

HALF: Final = 2.2
"""Degrees to either side that hold it at least so often. On 600 phantoms of 0 to 30 degrees 1.2
would do (split conformal prediction: Vovk et al., 2005), but people are not as regular: between one
public scan and the same turned by 2° or 5° the angle differs by up to 3.1° in 90 % (28 scans), and
so by up to 3.1°/√2 for each of the two. How far it is off on people is not known. ``python -m
models geometry`` measures both."""

HALF_BY_CENTRES: Final = 2.7
"""The same where only the centres are known, of 540 phantoms alone."""

BEND: Final = 1.75
"""Vertebrae from the middle of L1–L4, up and down, from which on the line runs straight: a quarter
beyond the centres of L1 and L4. Angles are then as large as drawn ones on the mean: the outlines
follow a curve to 0.96, and a parabola that ends here has 1.04 of it on true outlines."""

FEWEST: Final = 20
"""Places on each side without which the line is not looked for."""

PLACES: Final = 48
"""Along the line at which the two sides are read."""

WIDTHS: Final = (0.75, 1.35)
"""Times the median width between which a place is believed: narrower ones are cut corners at the
ends, wider ones ribs, pelvis or whatever joins the column."""

ROUNDS: Final = 2
REWEIGHTED: Final = 2
HUBER: Final = 2.2
"""Times the median residual from which on a place weighs less: 1.5 standard deviations of errors
that are normal."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Line:
    """x = a·b(v) + b·v + c over v, downwards: b(v) is v² up to :data:`BEND`, then its tangent."""

    bend: float
    lean: float
    offset: float

    @classmethod
    def fit(cls, along: Floats, across: Floats, again: int = 0) -> Self:
        """Return the line through ``across`` over ``along`` (n,) by least squares, weighed anew
        ``again`` times by Huber's rule."""
        basis = np.stack([_bent(along), along, np.ones(len(along))])
        weighed = basis
        found = np.linalg.solve(weighed @ basis.T, weighed @ across)
        for _ in range(again):
            off = np.abs(across - found @ basis)
            scale = HUBER * _median(off) + 1e-9
            weighed = basis * (scale / np.maximum(off, scale))
            found = np.linalg.solve(weighed @ basis.T, weighed @ across)
        bend, lean, offset = found.tolist()
        return cls(bend, lean, offset)

    def at(self, along: Floats) -> Floats:
        return self.bend * _bent(along) + self.lean * along + self.offset

    def slope(self, along: Floats) -> Floats:
        return 2 * self.bend * np.clip(along, -BEND, BEND) + self.lean

    def beside(self, points: Floats) -> tuple[Floats, Floats]:
        """Return where along the line each of ``points`` (n, 2) lies, and how far to its right."""
        along = points[:, 1]
        for _ in range(2):
            slope = self.slope(along)
            step = (points[:, 0] - self.at(along)) * slope + points[:, 1] - along
            along = along + step / (1 + slope**2)
        slope = self.slope(along)
        return along, (points[:, 0] - self.at(along)) * np.sqrt(1 + slope**2)


def _median(values: Floats) -> float:
    """Return the middle one of ``values``; ``numpy.median`` takes ten times as long of so few."""
    middle = len(values) // 2
    return float(np.partition(values, middle)[middle])


def _bent(along: Floats) -> Floats:
    inner = np.clip(along, -BEND, BEND)
    return inner * (2 * along - inner)


def turn(spine: Spine) -> float | None:
    """Return the angle in degrees, positive when the column runs further to the right at L4 than
    at L1; None where its sides or one of the four levels are not known."""
    left, right = spine.sides
    if len(spine.levels) < len(LEVELS) or min(len(left), len(right)) < FEWEST:
        return None
    angle = np.radians(spine.tilt)
    # Across and down the column's axis, in pitches from the middle of L1–L4.
    axes = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = np.array([*(level.centre for level in spine.levels), *left, *right])
    points = (points - spine.centre) @ axes / spine.pitch
    centres, sides = points[: len(LEVELS)], points[len(LEVELS) :]
    line = _Line.fit(centres[:, 1], centres[:, 0])
    for _ in range(ROUNDS):
        along, across = line.beside(sides)
        one, other = along[: len(left)], along[len(left) :]
        places = np.linspace(max(one.min(), other.min()), min(one.max(), other.max()), PLACES)
        near = _read(places, one, across[: len(left)])
        far = _read(places, other, across[len(left) :])
        width = far - near
        low, high = (share * _median(width) for share in WIDTHS)
        kept = (width >= low) & (width <= high)
        if np.count_nonzero(kept) < FEWEST:
            return None
        places, middle = places[kept], (near + far)[kept] / 2
        slope = line.slope(places)
        middle = middle / np.sqrt(1 + slope**2)
        line = _Line.fit(places - middle * slope, line.at(places) + middle, REWEIGHTED)
    first, last = np.degrees(np.arctan(line.slope(centres[[0, -1], 1])))
    return float(last - first)


def _read(places: Floats, along: Floats, across: Floats) -> Floats:
    order = np.argsort(along, kind="stable")
    return np.interp(places, along[order], across[order])


def interval(degrees: float, half: float) -> tuple[float, float]:
    """Return between which angles in degrees, none below 0, a curve of ``degrees`` lies."""
    return max(0.0, degrees - half), degrees + half
