"""Images that no server has seen: phantoms, each time under other noise.

PNG, 8 bits, as large as scanners export them (about 380×240), which is most of what is uploaded.
Image ``n`` is always the same, so that a reference can be computed for it once.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models import phantom
from models.gate import quality
from models.image import recipe
from models.inference import preparation
from models.inference.preparation import Outline
from models.phantom import HELD_OUT, Artefact
from models.reading import read

NAME: Final = "phantoms-1"
"""Changes with anything that changes an image."""

SEED: Final = 2026
PHANTOMS: Final = 16
NOISE: Final = 3
"""Grey levels that are added at most, to be other pixels and the same picture."""


class Images:
    """Draws its phantoms when made, a few seconds; the gate accepts every one."""

    def __init__(self) -> None:
        self._drawn = list(_accepted())

    def __call__(self, number: int) -> bytes:
        """Return the PNG of image ``number``, 0 or more."""
        drawn = self._drawn[number % PHANTOMS]
        noise = np.random.default_rng([SEED, number]).integers(
            0, NOISE, drawn.shape, np.uint8, endpoint=True
        )
        return _png(np.where(drawn > 255 - NOISE, drawn - noise, drawn + noise))

    def many(self, numbers: Iterable[int]) -> list[bytes]:
        return [self(number) for number in numbers]


def canonical(png: bytes, outline: Outline) -> recipe.Canonical:
    """Return what models see of an image. Raises ValueError where no spine is found in it."""
    (found,) = preparation.prepare([read(png)], outline)
    if found.canonical is None:
        raise ValueError("no spine was found in an image of the benchmark")
    return found.canonical


def _accepted() -> Iterable[NDArray[np.uint8]]:
    gate, seed, found = quality.served_gate(), 0, 0
    while found < PHANTOMS:
        drawn = phantom.draw(
            np.random.default_rng([SEED, seed]), None, HELD_OUT, Artefact.NONE, overlay=False
        )
        if quality.assess(drawn.scan, recipe.frame(drawn.scan), gate).accepted:
            found += 1
            yield drawn.image
        seed += 1


def _png(pixels: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
