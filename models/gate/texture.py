"""Grain: how strong it is, itself and against the bone."""

from __future__ import annotations

import numpy as np

from models.gate.spine import Field, halved, ranked


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
