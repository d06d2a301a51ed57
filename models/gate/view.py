"""Whether an image that was laid upright shows the spine from the front, or from the side.

From the front the two sides of the spine are alike; from the side bodies have spinous processes
behind them and none before: so the canonical image is held against its own mirror. And lateral
images of VFA show half the thoracic spine too, so that a vertebra is a smaller part of them.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from models.image.recipe import SIDE, Canonical
from models.vertebrae.geometry import Spine

ROWS: Final = slice(44, 180)
REACH: Final = 70
"""Canonical pixels to either side of the middle: bodies, and what lies beside them."""

ALIKE: Final = 0.54
"""Correlation with the mirror image, below which an image is one from the side: of 114 true AP
scans the least is 0.74, of 80 AP phantoms, 40 of them curved by 15 to 30 degrees, 0.59; of 36
lateral lumbar spines that were drawn the greatest is 0.49."""

SHORTEST: Final = 25.5
"""Frame pixels (224 a side) from one vertebra to the next, below which the field is longer than 30
cm and no lumbar one: the least of the true scans is 27.6, of the phantoms 26.4, of 15 lateral
phantoms of T7–L4 in which levels were found the greatest is 25.3. Both limits were set on these."""


def symmetry(canonical: Canonical) -> float:
    """Return the correlation of ``canonical`` (224, 224) with its mirror image about the spine;
    1 where nothing in it differs."""
    middle = SIDE // 2
    seen = canonical[ROWS, middle - REACH : middle + REACH].astype(np.float64)
    seen -= seen.mean()
    strength = float((seen * seen).sum())
    return float((seen * seen[:, ::-1]).sum()) / strength if strength else 1.0


def is_lateral(canonical: Canonical, spine: Spine) -> bool:
    """Return whether ``canonical`` shows a spine from the side, or nothing like one from front.

    ``spine`` is what was found in the image's frame.
    """
    return symmetry(canonical) < ALIKE or spine.pitch < SHORTEST
