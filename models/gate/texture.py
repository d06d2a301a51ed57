"""Grain, and rows that do not fit to their neighbours."""

from __future__ import annotations

from typing import Final

import numpy as np

from models.gate.spine import Field, halved, ranked, windowed

SHIFTS: Final = range(-8, 9)
BLOCK: Final = 5
"""Rows averaged on either side before they are compared: single rows are mostly grain."""


def noise(image: Field, contrast: float) -> dict[str, float]:
    """Return how strong the grain of ``image`` (224, 224) is, itself and against the bone."""
    fine = _residual(image, 1)
    coarse = _residual(halved(image), 2)
    # Quantiles: a few strong edges of overlay or metal are not grain.
    size, large = ranked(np.abs(fine[::2, 1::2]), (0.5, 0.9))
    grain = ranked(np.abs(coarse[::2, 1::2]), (0.5,))[0]
    power = _product(fine, fine) + 1e-6
    return {
        "grain_fine": size,
        "grain_coarse": grain,
        "grain_to_bone": (size + grain) / (abs(contrast) + 0.05),
        "grain_90": large,
        "grain_right": _product(fine[:, 2:], fine[:, :-2]) / power,
        "grain_down": _product(fine[2:], fine[:-2]) / power,
    }


def _product(one: Field, other: Field) -> float:
    """Return the mean of the products, from every second row."""
    return float(np.vecdot(one[::2], other[::2]).sum()) / one[::2].size


def _residual(image: Field, step: int) -> Field:
    """Return what the four neighbours ``step`` pixels away do not tell of each pixel."""
    inner = slice(step, -step)
    around = image[: -2 * step, inner] + image[2 * step :, inner]
    around = around + image[inner, : -2 * step] + image[inner, 2 * step :]
    return np.asarray(image[inner, inner] - around / 4, dtype=np.float32)


def movement(straight: Field) -> dict[str, float]:
    """Return by how much rows above and below each line are displaced, in shares of the reach."""
    reach = max(SHIFTS)
    # Grain within a row is smoothed a little; displaced edges stay.
    blocks = straight[:, 15:-17] + straight[:, 16:-16] + straight[:, 17:-15]
    blocks -= blocks.mean(1, keepdims=True)
    means = windowed(blocks, BLOCK) / (3 * BLOCK)
    above, below = means[:-BLOCK], means[BLOCK:]
    kept = above[:, reach:-reach]
    distance = np.empty((len(SHIFTS), len(kept)), np.float32)
    for place, shift in enumerate(SHIFTS):
        apart = kept - below[:, reach + shift : below.shape[1] - reach + shift]
        np.vecdot(apart, apart, out=distance[place])
    distance /= kept.shape[1]
    best = distance.argmin(0)
    gain = 1.0 - distance.min(0) / (distance[reach] + 1e-6)
    moved = np.sort(np.abs(best - reach) / reach * gain)
    return {
        "moved_most": float(moved[-3]),
        "moved_often": float(moved[-24:].mean()),
        "moved_mean": float(moved.mean()),
    }
