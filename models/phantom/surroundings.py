"""What lies beside the lumbar spine: ribs, iliac crests and sacrum, soft tissue and bowel gas."""

from __future__ import annotations

import numpy as np

from models.phantom.field import Field, bell, clouds, step
from models.phantom.nuisance import Nuisance
from models.phantom.spine import FIRST, Grid, Spine

GAS_BUBBLE = 6.0
"""A large bubble's radius in mm; several make up a loop of bowel."""


def skeleton(rng: np.random.Generator, spine: Spine, grid: Grid, bmd: float) -> Field:
    """Return the density of ribs, crests and sacrum in g/cm², ``bmd`` being that of the spine.

    ``rng`` is the person's own.
    """
    density = np.zeros(grid.shape, np.float32)
    _ribs(rng, density, spine, grid, bmd)
    _pelvis(rng, density, spine, grid, bmd)
    return density


def _ribs(rng: np.random.Generator, density: Field, spine: Spine, grid: Grid, bmd: float) -> None:
    for level in (FIRST - 2, FIRST - 1):
        x0, y0 = (float(value) for value in spine.centres[level])
        half = float(spine.widths[level]) / 2.0
        for side in (-1.0, 1.0):
            slope, bend, thick, length = (
                rng.uniform(0.10, 0.45),
                rng.uniform(-0.002, 0.006),
                rng.uniform(3.2, 4.6),
                rng.uniform(35.0, 75.0),
            )
            strength = bmd * rng.uniform(0.14, 0.34)
            out = side * (grid.x - x0) - half * 0.9
            middle = y0 - 4.0 + slope * out + bend * out * out
            window = grid.window(x0, y0 + 22.0, 1e4, 50.0)
            off = (grid.y[window[0]] - middle) / thick
            tube = 0.75 * step((1.0 - np.abs(off)) / 0.25) + 0.4 * bell((np.abs(off) - 0.85) / 0.3)
            reach = step(out / 1.5) * step((length - out) / 6.0)
            density[window] += (strength * tube * reach).astype(np.float32)


def _pelvis(rng: np.random.Generator, density: Field, spine: Spine, grid: Grid, bmd: float) -> None:
    x0, y0 = (float(value) for value in spine.boundaries[FIRST + 4, :2])
    height = float(rng.uniform(-4.0, 12.0))
    apart, drop = rng.uniform(84.0, 100.0, 2), rng.uniform(-3.0, 3.0, 2)
    for side, out, down in zip((-1.0, 1.0), apart, drop, strict=True):
        # The crest: a large ellipse whose upper inner rim enters the field's lower corner.
        cx, cy = float(x0 + side * out), float(y0 + 52.0 + height + down)
        radius = np.sqrt(((grid.x - cx) / 46.0) ** 2 + ((grid.y - cy) / 52.0) ** 2)
        radius += 0.02 * clouds(rng, grid.shape, 14.0 / grid.spacing)
        wing = 0.55 * step((1.0 - radius) / 0.025) + 0.40 * bell((radius - 0.93) / 0.06)
        wing *= 1.0 + 0.12 * clouds(rng, grid.shape, 8.0 / grid.spacing)
        density += 0.95 * bmd * wing
    # The sacrum widens below L5 and runs into the crests; its upper foramina are darker.
    x5, y5 = (float(value) for value in spine.boundaries[FIRST + 5, :2])
    down = grid.y - y5
    half = 27.0 + 1.1 * np.clip(down, 0.0, 40.0)
    across = np.abs(grid.x - x5)
    ala = step((half - across) / 1.5) * step((down + 0.12 * (across - 20.0)) / 1.5)
    foramina = bell(np.sqrt(((across - 17.0) / 5.0) ** 2 + ((down - 13.0) / 4.0) ** 2))
    density += (bmd * 0.72 * ala * (1.0 - 0.5 * foramina)).astype(np.float32)


def soft_tissue(
    rng: np.random.Generator, spine: Spine, grid: Grid, nuisance: Nuisance, *, bmi: float, gas: int
) -> Field:
    """Return what soft tissue seems to have in g/cm²; fat and gas make it uneven."""
    haze = float(rng.uniform(*nuisance.haze)) * (bmi / 25.0) ** 0.5
    tissue = np.full(grid.shape, haze, np.float32)
    tissue += 0.060 * clouds(rng, grid.shape, 34.0 / grid.spacing)
    tissue += 0.036 * clouds(rng, grid.shape, 9.0 / grid.spacing)
    tissue += 0.022 * clouds(rng, grid.shape, 3.5 / grid.spacing)
    # Liver and diaphragm above, psoas beside the spine.
    dome = spine.boundaries[FIRST, 1] - float(rng.uniform(-6.0, 14.0)) + 0.004 * grid.x**2
    tissue += np.float32(rng.uniform(0.0, 0.12)) * step((dome - grid.y) / 5.0)
    for _ in range(gas):
        side = 1.0 if rng.random() < 0.5 else -1.0
        x, y = side * rng.uniform(26.0, 58.0), rng.uniform(-70.0, 85.0)
        for _ in range(int(rng.integers(2, 6))):
            x, y = x + rng.normal(0.0, 6.0), y + rng.normal(0.0, 4.0)
            rx, ry = GAS_BUBBLE * rng.uniform(0.6, 1.8, 2)
            window = grid.window(x, y, 3.0 * rx, 3.0 * ry)
            radius = ((grid.x[:, window[1]] - x) / rx) ** 2 + ((grid.y[window[0]] - y) / ry) ** 2
            tissue[window] -= (rng.uniform(0.08, 0.25) * step((1.0 - radius) / 0.3)).astype(
                np.float32
            )
    return tissue
