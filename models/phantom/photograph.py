"""A phantom on a screen that somebody photographs: what is sent for a scan and is none.

The screen is made of pixels of three stripes with a gap below; the camera sees it from a little
aside, with its own pixels, grain, light that falls off, and often a lamp in the glass.
"""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

STRIPES = (0.6, 0.6, 1.4, 0.4)
"""Light of red, green and blue stripes of a grey pixel, in quarters of its width."""
GAP = 0.15
"""Light of the last quarter of a pixel's height."""
GAMMA = 2.2

Image8 = NDArray[np.uint8]


def photograph(image: Image8, rng: np.random.Generator) -> Image8:
    """Return ``image`` (rows, columns) as a camera has it off a screen, some 700 to 1100 pixels
    wide, decoded from JPEG."""
    zoom = rng.uniform(1.2, 2.2)
    size = round(image.shape[1] * zoom), round(image.shape[0] * zoom)
    shown = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR))
    width = int(rng.integers(700, 1101))
    height = round(width * size[1] / size[0])
    seen = _seen(_screen(shown), (width, height), rng)
    down, right = np.mgrid[0:height, 0:width] / (height, width)[0]
    right = right * height / width
    seen *= 1 - 0.3 * ((right - 0.5) ** 2 + (down - 0.5) ** 2)
    if rng.random() < 0.6:
        x, y, reach = rng.uniform(0, 1), rng.uniform(0, 1), rng.uniform(0.08, 0.3)
        lamp = np.exp(-((right - x) ** 2 + (down - y) ** 2) / (2 * reach**2))
        seen += rng.uniform(0.1, 0.8) * lamp
    levels = 255 * np.clip(seen * rng.uniform(0.8, 1.2) + rng.uniform(0, 0.03), 0, 1) ** (1 / GAMMA)
    levels += rng.normal(0, rng.uniform(1, 4), levels.shape)
    file = io.BytesIO()
    taken = Image.fromarray(np.clip(levels, 0, 255).astype(np.uint8))
    taken.save(file, "JPEG", quality=int(rng.integers(70, 96)))
    return np.asarray(Image.open(file))


def _screen(shown: Image8) -> NDArray[np.float32]:
    """Return the light of a screen that shows ``shown``, four times as wide and as high."""
    cell = np.tile(np.array(STRIPES, np.float32), (len(STRIPES), 1))
    cell[-1] *= GAP
    light = (shown / np.float32(255)) ** GAMMA
    return np.kron(light, cell / cell.mean()).astype(np.float32)


def _seen(
    light: NDArray[np.float32], size: tuple[int, int], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return (height, width): ``light`` in perspective, averaged over the camera's pixels."""
    fine = 2 * size[0], 2 * size[1]
    rows, columns = light.shape
    corners = np.array([(0, 0), (columns, 0), (columns, rows), (0, rows)], float)
    corners += rng.uniform(-0.04, 0.04, (4, 2)) * columns
    ends = np.array([(0, 0), (fine[0], 0), fine, (0, fine[1])], float)
    lines, right = [], []
    for (u, v), (x, y) in zip(ends, corners, strict=True):
        lines += [[u, v, 1, 0, 0, 0, -u * x, -v * x], [0, 0, 0, u, v, 1, -u * y, -v * y]]
        right += [x, y]
    mapped = np.linalg.solve(np.array(lines), np.array(right))
    turned = Image.fromarray(light).transform(
        fine, Image.Transform.PERSPECTIVE, tuple(mapped), Image.Resampling.BILINEAR
    )
    return np.array(turned.resize(size, Image.Resampling.BOX), np.float32)
