"""What an image looks like from afar: where edges run, and where it is bright.

Histograms of oriented gradients (Dalal and Triggs, 2005) and brightness over coarse cells. A spine
is a bright column with level end-plates in the middle of a dark field; a knee or a page is not.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.gate.spine import halved, windowed
from models.image.recipe import SIDE, Canonical

CELLS: Final = 14
"""Cells a side, of 16×16 canonical pixels: a vertebra is two or three high."""

ORIENTATIONS: Final = 8
COUNT: Final = CELLS * CELLS * (ORIENTATIONS + 1)

_BINS: Final = ORIENTATIONS + 2
"""Of a cell while it is summed: a direction of half a turn is the first one again."""

_PLACES: Final = _BINS * (
    np.arange(SIDE // 2)[:, None] * CELLS // (SIDE // 2) * CELLS
    + np.arange(SIDE // 2) * CELLS // (SIDE // 2)
)
"""(112, 112): where the bins of each pixel's cell begin."""


def features(canonical: Canonical) -> NDArray[np.float32]:
    """Return (1764,) float32: 14×14 cells of 8 orientations, then 14×14 brightnesses.

    Orientations are normalised by the energy of the 3×3 cells around, brightness by the image's
    mean and spread, so that neither window nor noise level decides.
    """
    image = halved(canonical.astype(np.float32) / np.float32(255))
    down, right = np.gradient(image)
    # A third of what hypot takes, which minds overflow.
    strength = np.sqrt(down * down + right * right)
    # Unsigned direction, shared linearly between the two nearest bins.
    angle = np.arctan2(down, right) / np.float32(np.pi)
    position = (angle + (angle < 0)) * ORIENTATIONS
    lower = np.floor(position)
    share = strength * (position - lower)
    # One sum a cell and orientation, many times faster than a bin for every pixel.
    nearest = _PLACES + lower.astype(np.intp)
    total = _summed(nearest, strength - share) + _summed(nearest + 1, share)
    total[..., :2] += total[..., ORIENTATIONS:]
    size = len(image) // CELLS
    cells = (total[..., :ORIENTATIONS] / size**2).astype(np.float32)
    padded = np.pad((cells**2).sum(2), 1, mode="edge")
    energy = windowed(windowed(padded, 3).T, 3).T
    oriented = cells / np.sqrt(energy[..., None] + 1e-4)
    bright = image.reshape(CELLS, size, SIDE // 2).mean(1).reshape(CELLS, CELLS, size).mean(2)
    bright = (bright - bright.mean()) / (bright.std() + 1e-3)
    return np.concatenate([oriented.ravel(), bright.ravel()]).astype(np.float32)


def _summed(places: NDArray[np.intp], values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return (14, 14, 10): the sum of ``values`` at each of ``places``."""
    total = np.bincount(places.ravel(), values.ravel(), CELLS * CELLS * _BINS)
    return np.asarray(total.reshape(CELLS, CELLS, _BINS), np.float64)


def turned(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the features (…, 1764) of the same image upside down, mirrored top to bottom.

    An edge that falls rises then: orientation k becomes −k, modulo a half turn.
    """
    cells = CELLS * CELLS * ORIENTATIONS
    lead = features.shape[:-1]
    oriented = features[..., :cells].reshape(*lead, CELLS, CELLS, ORIENTATIONS)
    bright = features[..., cells:].reshape(*lead, CELLS, CELLS)
    swapped = oriented[..., ::-1, :, -np.arange(ORIENTATIONS) % ORIENTATIONS]
    flipped = bright[..., ::-1, :]
    return np.concatenate([swapped.reshape(*lead, -1), flipped.reshape(*lead, -1)], axis=-1)
