"""A few numbers that say how an image looks, to notice when images begin to look otherwise.

All are shares of the range from black to white, of the canonical image: what differs between
exports of one scan (size, depth, window) is gone from it, and what the models see is what counts.
"""

from __future__ import annotations

from typing import Final, Literal

import numpy as np

from models.image.recipe import Canonical

Statistic = Literal["brightness", "contrast", "detail"]

STATISTICS: Final[tuple[Statistic, ...]] = ("brightness", "contrast", "detail")


def describe(canonical: Canonical) -> dict[Statistic, float]:
    """Return of (224, 224) uint8: mean, standard deviation, and mean step between neighbours.

    ``detail`` looks from row to row, along the spine, where vertebrae and discs take turns; noise
    raises it, and blur or a picture that was enlarged lowers it.
    """
    image = canonical.astype(np.float32) / np.float32(255)
    return {
        "brightness": float(image.mean()),
        "contrast": float(image.std()),
        "detail": float(np.abs(np.diff(image, axis=0)).mean()),
    }
