"""Does a runtime answer as Keras does? Asked when an artefact is built, and by ``verify``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.inference.base import BaseModel

LARGEST: Final = 0.01
"""A runtime may move no calibrated probability by more than this, and no decision at all."""

WHEN_BUILT: Final = 0.009
"""The same where an artefact is built: other images, other processors may move a little more."""

BATCH: Final = 16


@dataclass(frozen=True)
class Difference:
    """Between a runtime's calibrated probabilities and the reference's, over the same images.

    ``changed`` counts images that came to the other side of the threshold.
    """

    largest: float
    changed: int

    def holds(self, largest: float = LARGEST) -> bool:
        return self.largest <= largest and self.changed == 0


def raw_logits(model: BaseModel, images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return (n,) logits before calibration of ``images`` (n, 224, 224) uint8."""
    return np.concatenate(
        [
            model.raw_logits(images[start : start + BATCH])[0]
            for start in range(0, len(images), BATCH)
        ]
    )


def difference(
    found: NDArray[np.float64], expected: NDArray[np.float64], threshold: float
) -> Difference:
    changed = (found >= threshold) != (expected >= threshold)
    return Difference(float(np.abs(found - expected).max()), int(changed.sum()))
