"""Synthetic lateral (VFA) images of T7–L4 with the six points of every vertebra, drawn from a seed.

SYNTHETIC: what is measured on them says nothing of clinical accuracy. Sizes are about those of an
adult and conventions of ours; what is exact is that the points are the ends and the middles of the
end plates that were drawn, and the loss that a fracture was drawn with.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from models.phantom.field import Field, blur, clouds
from models.vertebrae.geometry import Point
from models.vertebrae.morphometry import (
    LATERAL_LEVELS,
    Grade,
    LateralLevel,
    Shape,
    SixPoints,
    graded,
)

DRAWN: Final = LATERAL_LEVELS[3:]
"""T7–L4."""

BACKS: Final = (19.0, 20.0, 21.0, 22.0, 23.5, 25.0, 27.0, 28.0, 28.5, 28.0)
"""Heights of the back in millimetres, from T7."""

DEPTHS: Final = (25.0, 26.0, 27.0, 28.0, 29.0, 30.0, 31.0, 32.0, 33.0, 34.0)
DISCS: Final = (4.0, 4.0, 4.5, 5.0, 5.5, 6.5, 8.0, 9.0, 10.0, 10.0)
"""Below each, in millimetres."""

TILTS: Final = (14.0, 12.0, 9.0, 6.0, 3.0, 0.0, -4.0, -8.0, -12.0, -15.0)
"""Degrees by which each leans forward with its upper end: kyphosis above, lordosis below."""

SPACING: Final = 0.7
"""Millimetres a pixel."""

COLUMNS: Final = 260
TOP: Final = 14.0
"""Millimetres above the first vertebra."""

FINE: Final = 3
"""Times as large polygons are drawn."""

CLEAR: Final = 0.03
"""Of a loss, how far a clear case lies from every limit."""

CLEAR_LOSSES: Final[Mapping[Grade, tuple[float, float]]] = {
    0: (0.0, 0.08),
    1: (0.215, 0.235),
    2: (0.28, 0.37),
    3: (0.43, 0.55),
}
"""Losses to draw from; grade 1 spans five hundredths alone, and lies in their middle."""


@dataclass(frozen=True)
class Fracture:
    """``loss`` is the greatest of the three heights', a share."""

    shape: Shape
    loss: float

    @property
    def grade(self) -> Grade:
        return graded(self.loss)


@dataclass(frozen=True, eq=False)
class Lateral:
    """``image`` (rows, 260) uint8; points in its pixels; ``front`` the side that is the front."""

    image: NDArray[np.uint8]
    points: Mapping[LateralLevel, SixPoints]
    fractures: Mapping[LateralLevel, Fracture]
    front: str


def draw(rng: np.random.Generator, fractures: Mapping[LateralLevel, Fracture]) -> Lateral:
    """Return a phantom of which the vertebrae in ``fractures`` have lost height, no other."""
    bodies = _bodies(rng, fractures)
    rows = math.ceil(max(y for one in bodies.values() for _, y in one.lower) + TOP / SPACING)
    front = "left"
    image = _exported(_density(rng, bodies, rows), rng)
    if rng.random() < 0.5:
        front = "right"
        image = image[:, ::-1]
        bodies = {
            name: SixPoints(_mirrored(one.upper), _mirrored(one.lower))
            for name, one in bodies.items()
        }
    return Lateral(image, bodies, dict(fractures), front)


def some(rng: np.random.Generator, most: int = 3) -> dict[LateralLevel, Fracture]:
    """Return up to ``most`` clear fractures of vertebrae that are not beside each other."""
    found: dict[LateralLevel, Fracture] = {}
    for place in rng.permutation(len(DRAWN)):
        near = {DRAWN[n] for n in (place - 1, place + 1) if 0 <= n < len(DRAWN)}
        if len(found) < most and not near & found.keys():
            low, high = CLEAR_LOSSES[(1, 2, 3)[int(rng.integers(3))]]
            shape = get_args(Shape)[int(rng.integers(3))]
            found[DRAWN[place]] = Fracture(shape, float(rng.uniform(low, high)))
    return found


_Plate = tuple[Point, Point, Point]


def _bodies(
    rng: np.random.Generator, fractures: Mapping[LateralLevel, Fracture]
) -> dict[LateralLevel, SixPoints]:
    """Return every vertebra's points in pixels, its front to the left."""
    size = float(np.exp(rng.normal(0, 0.05)))
    bend, x, y = float(rng.uniform(0.7, 1.3)), COLUMNS / 2 * SPACING, TOP
    found: dict[LateralLevel, SixPoints] = {}
    for place, level in enumerate(DRAWN):
        back = BACKS[place] * size * float(np.exp(rng.normal(0, 0.008)))
        front = back * float(rng.uniform(0.96, 1.02))
        middle = back * float(rng.uniform(0.94, 0.99))
        if (broken := fractures.get(level)) is not None:
            front, middle, back = _broken(broken, front, back)
        lean = math.radians(TILTS[place] * bend)
        along, across = (-math.sin(lean), math.cos(lean)), (math.cos(lean), math.sin(lean))
        half = DEPTHS[place] * size / 2
        tall = max(front, middle, back)
        centre = (x + along[0] * tall / 2, y + along[1] * tall / 2)

        def put(
            u: float,
            v: float,
            centre: Point = centre,
            across: Point = across,
            along: Point = along,
        ) -> Point:
            return (
                (centre[0] + u * across[0] + v * along[0]) / SPACING,
                (centre[1] + u * across[1] + v * along[1]) / SPACING,
            )

        upper = (put(-half, -front / 2), put(0, -middle / 2), put(half, -back / 2))
        lower = (put(-half, front / 2), put(0, middle / 2), put(half, back / 2))
        found[level] = SixPoints(upper, lower)
        step = tall + DISCS[place] * size
        x, y = x + along[0] * step, y + along[1] * step
    return found


def _broken(fracture: Fracture, front: float, back: float) -> tuple[float, float, float]:
    """Return the heights of front, middle and back after ``fracture``."""
    left = 1 - fracture.loss
    match fracture.shape:
        case "wedge":
            return back * left, back * (1 + left) / 2, back
        case "biconcave":
            return front, back * left, back
        case "crush":
            return back * left, back * left, back * left


def _mirrored(plate: _Plate) -> _Plate:
    first, second, third = ((COLUMNS - x, y) for x, y in plate)
    return first, second, third


def _density(
    rng: np.random.Generator, bodies: Mapping[LateralLevel, SixPoints], rows: int
) -> Field:
    shape = (rows, COLUMNS)
    density = 0.3 + 0.06 * clouds(rng, shape, 50) + 0.03 * clouds(rng, shape, 9)
    solid, rim, behind = (Image.new("L", (COLUMNS * FINE, rows * FINE)) for _ in range(3))
    for one in bodies.values():
        outline = [(x * FINE, y * FINE) for x, y in (*_curve(one.upper), *_curve(one.lower)[::-1])]
        ImageDraw.Draw(solid).polygon(outline, fill=255)
        ImageDraw.Draw(rim).line([*outline, outline[0]], fill=255, width=2 * FINE)
        (x, y), (_, below) = one.upper[2], one.lower[2]
        ImageDraw.Draw(behind).line(
            [((x + 8) * FINE, (y + 4) * FINE), ((x + 44) * FINE, (below + 6) * FINE)],
            fill=255, width=11 * FINE,
        )  # fmt: skip
    for picture, weight in ((solid, 0.45), (rim, 0.25), (behind, 0.3)):
        density = density + weight * _shrunk(picture, shape)
    return np.asarray(density, np.float32)


def _curve(plate: _Plate) -> list[Point]:
    """Return the parabola through the three points, from front to back."""
    (x0, y0), (x1, y1), (x2, y2) = plate
    return [
        (
            x0 * (1 - t) * (1 - 2 * t) + x1 * 4 * t * (1 - t) + x2 * t * (2 * t - 1),
            y0 * (1 - t) * (1 - 2 * t) + y1 * 4 * t * (1 - t) + y2 * t * (2 * t - 1),
        )
        for t in np.linspace(0, 1, 13).tolist()
    ]


def _shrunk(picture: Image.Image, shape: tuple[int, int]) -> Field:
    small = picture.resize((shape[1], shape[0]), Image.Resampling.BOX)
    return np.asarray(small, np.float32) / np.float32(255)


def _exported(density: Field, rng: np.random.Generator) -> NDArray[np.uint8]:
    seen = blur(density, float(rng.uniform(0.8, 1.3)))
    seen += rng.normal(0, rng.uniform(0.015, 0.04), seen.shape).astype(np.float32)
    low, high = np.percentile(seen, (1, 99.5))
    image: NDArray[np.uint8] = np.clip(np.rint(255 * (seen - low) / (high - low)), 0, 255).astype(
        np.uint8
    )
    return image
