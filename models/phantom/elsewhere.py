"""Synthetic DXA images of other regions than the frontal lumbar spine: hip, forearm, lateral spine.

They stand for what is uploaded by mistake, and are drawn from a seed like every phantom. SYNTHETIC:
that one is refused says little of how often a patient's would be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.phantom.field import Field, bell, blur, clouds, step

ROWS: Final = 260
COLUMNS: Final = 240
"""Pixels of an image."""

Image8 = NDArray[np.uint8]
Point = tuple[float, float]


def hip(rng: np.random.Generator) -> Image8:
    """Return the upper end of a femur, its shaft, neck and head, beside a part of the pelvis."""
    density = _tissue(rng, 0.22)
    turn = rng.uniform(-12, 12)
    shaft, knee = (150.0 + turn, 118.0), (140.0 + 2 * turn, 280.0)
    head = (92.0 + turn, 70.0 + rng.uniform(-6, 6))
    density += _bone((shaft, knee), 21, 17, cortex=0.5)
    density += _bone((shaft, head), 19, 15, cortex=0.3)
    density += _bone((head, head), 27, 27, cortex=0.2)
    density += _bone(((160.0 + turn, 100.0), (166.0 + turn, 110.0)), 18, 15, cortex=0.2)
    # The socket, the pubic bone below it and the wing of the ilium above.
    density += 0.8 * _bone(((40.0, 20.0), (62.0 + turn, 70.0)), 34, 20, cortex=0.3)
    density += 0.7 * _bone(((62.0 + turn, 84.0), (8.0, 140.0)), 14, 12, cortex=0.3)
    density += 0.6 * _bone(((8.0, 140.0), (40.0, 196.0)), 12, 15, cortex=0.3)
    return _exported(density, rng)


def forearm(rng: np.random.Generator) -> Image8:
    """Return radius and ulna side by side above the wrist, in a narrow arm with air beside it."""
    density = np.zeros((ROWS, COLUMNS), np.float32)
    lean = rng.uniform(-10, 10)
    arm = _bone(((120 + lean, -20.0), (120 - lean, 290.0)), 62, 52, cortex=0.0)
    density += 0.15 * np.minimum(arm, 1)
    for side, thick in ((-1, 15), (1, 11)):
        top, wrist = (120 + lean + 24 * side, -20.0), (120 - lean + 21 * side, 200.0)
        density += _bone((top, wrist), thick, thick + 2, cortex=0.6)
        density += _bone(((wrist[0], 185.0), (wrist[0] - 2 * side, 205.0)), 15, 20, cortex=0.2)
    for _ in range(7):
        at = (rng.uniform(92, 148) - lean, rng.uniform(228, 256))
        density += 0.7 * _bone((at, at), 12, 12, cortex=0.2)
    return _exported(density, rng)


def lateral(rng: np.random.Generator) -> Image8:
    """Return a lumbar spine from the side: bodies along a curve, spinous processes behind them."""
    density = _tissue(rng, 0.3)
    bend, start = rng.uniform(18, 34), rng.uniform(-30, -8)
    place = rng.uniform(80, 120)
    for number in range(8):
        y = start + 42 * number
        x = place - bend * np.sin(np.pi * (y + 20) / 300)
        for part in (-1, 0, 1):
            density += 0.45 * _bone(((x - 16, y + 8 * part), (x + 16, y + 8 * part)), 8, 8, 0.25)
        density += 0.5 * _bone(((x + 34, y + 2), (x + 76, y + 24)), 5, 9, cortex=0.3)
        density += 0.4 * _bone(((x + 28, y - 14), (x + 36, y + 26)), 5, 5, cortex=0.3)
    # The wing of the ilium lies over the lowest levels, ribs over the highest.
    density += 0.5 * _bone(((place + 10, 262.0), (place + 60, 230.0)), 40, 30, cortex=0.3)
    for number in range(3):
        y = 6 + 22 * number
        density += 0.3 * _bone(((place + 30, y), (place - 90, y + 70)), 5, 4, cortex=0.5)
    return _exported(density, rng)


DRAWN: Final[Mapping[str, Callable[[np.random.Generator], Image8]]] = {
    "hip": hip,
    "forearm": forearm,
    "lateral": lateral,
}


def _tissue(rng: np.random.Generator, haze: float) -> Field:
    shape = (ROWS, COLUMNS)
    return np.asarray(haze + 0.06 * clouds(rng, shape, 50) + 0.03 * clouds(rng, shape, 9))


def _bone(ends: Sequence[Point], first: float, last: float, cortex: float) -> Field:
    """Return a long bone between two ``ends`` (x, y), its half width ``first`` at the one and
    ``last`` at the other, with a ``cortex`` of denser bone."""
    y, x = np.indices((ROWS, COLUMNS), np.float32)
    (x0, y0), (x1, y1) = ends
    length = max((x1 - x0) ** 2 + (y1 - y0) ** 2, 1e-6)
    along = np.clip(((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length, 0, 1)
    off = np.hypot(x - x0 - along * (x1 - x0), y - y0 - along * (y1 - y0))
    radius = first + along * (last - first)
    inside = step((radius - off) / 1.2)
    return np.asarray((0.6 + cortex * bell((off - 0.85 * radius) / (0.12 * radius))) * inside)


def _exported(density: Field, rng: np.random.Generator) -> Image8:
    """Return what a scanner makes of it: blur, noise, a window, perhaps mirrored."""
    seen = blur(density, float(rng.uniform(0.8, 1.4)))
    seen += rng.normal(0, rng.uniform(0.015, 0.04), seen.shape).astype(np.float32)
    low, high = np.percentile(seen, (1, 99.5))
    image: Image8 = np.clip(np.rint(255 * (seen - low) / (high - low)), 0, 255).astype(np.uint8)
    return image[:, ::-1] if rng.random() < 0.5 else image
