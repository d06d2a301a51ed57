"""Which pixels of a frame are ink: lines and letters as thin as they were drawn.

The network works at half the frame's resolution: what it calls graphics is two to three pixels
wider than a line, and fills the gaps between letters. All that is hidden has to be guessed from
beside it, and bone's edge is where lines are drawn. So the network says where ink is, and the
pixels say which of them are ink: those that a grey-level opening takes away, brighter than anything
as wide as the opening is (the white top-hat, Serra, Image Analysis and Mathematical Morphology,
1982).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.image.recipe import Canonical
from models.vertebrae.morphology import Mask, grown, opened, spread

FAINT: Final = 12
"""Grey levels that ink stands above what is beside it at least."""

NEAR: Final = 3
"""Pixels from ink within which what the network calls graphics is given back. Farther away lie
borders, padding and whatever else the network knows and this does not."""

EVEN: Final = 3
"""Grey levels within which 3×3 pixels are ground that letters stand on, and hide as ink does."""


def ink(framed: Canonical, evidence: NDArray[np.floating]) -> Mask:
    """Return the pixels of ``framed`` (224, 224) that are drawn graphics.

    ``evidence`` (224, 224) are the network's logits of graphics.
    """
    found = np.asarray(evidence > 0)
    if not found.any():
        return found
    thin = found & (framed - opened(framed) > FAINT)
    ground = grown(found & (spread(framed) <= EVEN), 2)
    return np.asarray(thin | (found & (ground | ~grown(thin, NEAR))))
