"""What is measured of a spine in its canonical image: bone against the soft tissue beside it.

A scanner stretches every image, so absolute density is gone; what is left is how far bone stands
above soft tissue, and how evenly. Let ``bone`` be the pixels inside the outlines of L1–L4 without
their rim, ``soft`` the bands beside the column, and D the difference of their medians in grey
levels. All but ``contrast`` are in units of D, so that no window or gain changes them:

====================  ==========================================================================
``contrast``          D over the span of the canonical image, 0…1
``bone_spread``       standard deviation in bone
``bone_low``          10th percentile in bone, above the median of soft tissue
``bone_high``         90th percentile in bone, above the median of soft tissue
``soft_spread``       standard deviation in soft tissue
``soft_high``         95th percentile in soft tissue, above its median
``bone_to_noise``     1 over the standard deviation of soft tissue's residual of a Gaussian, σ 3:
                      the contrast-to-noise ratio
``edge``              mean gradient along the outlines, a pixel
``texture_2``         standard deviation in bone of a difference of Gaussians, σ 2 and 4
``texture_4``         the same, σ 4 and 8
``soft_texture_2``    the same in soft tissue, σ 2 and 4
``soft_texture_4``    the same in soft tissue, σ 4 and 8
``levels_spread``     standard deviation of the four levels' means
``levels_slope``      how the levels' means rise from L1 to L4, a level
``core``              mean of the column's middle third less that of its outer thirds
``between``           mean near the levels' boundaries less that of their middles
====================  ==========================================================================

After Blake and Fogelman (Semin Nucl Med 1997) for what degrades DXA; the bands are difference of
Gaussians as in Marr and Hildreth (1980). None is a measure of density.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from models.image.recipe import BLACK, PITCH, SIDE, WHITE, WIDTH, Canonical
from models.vertebrae.geometry import LEVELS
from models.vertebrae.tissue import FLOOR, beside

NAMES: Final = (
    "contrast",
    "bone_spread",
    "bone_low",
    "bone_high",
    "soft_spread",
    "soft_high",
    "bone_to_noise",
    "edge",
    "texture_2",
    "texture_4",
    "soft_texture_2",
    "soft_texture_4",
    "levels_spread",
    "levels_slope",
    "core",
    "between",
)
"""The order of :func:`measure`; stored with the weights."""

FEWEST_PIXELS: Final = 2000
"""Of bone; where the network outlines less, the levels stand where the recipe has put them."""

Floats = NDArray[np.float32]


def measure(canonical: Canonical, levels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the measurements of ``canonical``, (16,) in the order of :data:`NAMES`.

    ``levels`` (224, 224) is 1–4 inside L1–L4 of it, else 0.
    """
    if np.count_nonzero(levels) < FEWEST_PIXELS:
        levels = _nominal()
    column = levels > 0
    bone = np.asarray(ndimage.binary_erosion(column, iterations=2))
    soft = beside(column)
    if not soft.any():
        soft = beside(_nominal() > 0)
    image = canonical.astype(np.float32)
    ground = float(np.median(image[soft]))
    raised = float(np.median(image[bone])) - ground
    unit = max(raised, FLOOR)
    values = (image - ground) / unit
    two, four, eight = (ndimage.gaussian_filter(values, s) for s in (2.0, 4.0, 8.0))
    noise = float((values - ndimage.gaussian_filter(values, 3.0))[soft].std())
    rim = np.asarray(column & ~ndimage.binary_erosion(column))
    gradient = np.hypot(ndimage.sobel(values, 0), ndimage.sobel(values, 1)) / 8
    means = np.array(
        [
            values[bone & (levels == n)].mean() if (bone & (levels == n)).any() else np.nan
            for n in range(1, len(LEVELS) + 1)
        ]
    )
    means = np.where(np.isnan(means), np.nanmean(means), means)
    core, outer = _thirds(bone)
    near, middle = _along(levels, bone)
    return np.array(
        [
            raised / (WHITE - BLACK),
            values[bone].std(),
            np.percentile(values[bone], 10),
            np.percentile(values[bone], 90),
            values[soft].std(),
            np.percentile(values[soft], 95),
            1 / max(noise, 0.01),
            gradient[rim].mean(),
            (two - four)[bone].std(),
            (four - eight)[bone].std(),
            (two - four)[soft].std(),
            (four - eight)[soft].std(),
            means.std(),
            np.polyfit(np.arange(len(means)), means, 1)[0],
            values[core].mean() - values[outer].mean(),
            values[near].mean() - values[middle].mean(),
        ],
        np.float64,
    )


@cache
def _nominal() -> NDArray[np.uint8]:
    """Return the levels as the recipe lays them: four blocks in the middle."""
    levels = np.zeros((SIDE, SIDE), np.uint8)
    half = round(WIDTH / 2)
    for number in range(len(LEVELS)):
        top = round(SIDE / 2 + (number - len(LEVELS) / 2) * PITCH)
        levels[top : top + round(PITCH), SIDE // 2 - half : SIDE // 2 + half] = number + 1
    return levels


def _thirds(bone: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the middle third of ``bone`` in each row, and the rest of it."""
    across = np.arange(SIDE)
    rows = bone.any(1, keepdims=True)
    left = bone.argmax(1)[:, None]
    right = SIDE - 1 - bone[:, ::-1].argmax(1)[:, None]
    third = (right - left) / 3
    core = bone & rows & (across >= left + third) & (across <= right - third)
    return core, bone & ~core


def _along(
    levels: NDArray[np.uint8], bone: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the parts of ``bone`` near the levels' upper and lower ends, and the rest of it."""
    near = np.zeros_like(bone)
    down = np.arange(SIDE)[:, None]
    for number in range(1, len(LEVELS) + 1):
        mask = levels == number
        rows = np.flatnonzero(mask.any(1))
        if rows.size:
            rim = (rows[-1] - rows[0]) / 5
            near |= mask & ((down < rows[0] + rim) | (down > rows[-1] - rim))
    near &= bone
    middle = bone & ~near
    return (near, middle) if near.any() and middle.any() else (bone, bone)
