"""Scans and their altered copies, brought to canonical form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.dataset import graphics
from models.dataset.copies import altered
from models.dataset.drawn import Drawn
from models.image.scan import Scan
from models.inference import preparation
from models.inference.preparation import Outline

CLEAN: Final = 0.6
"""Share of copies that are made of an image whose drawn lines were removed; in half of these a
region of interest is drawn anew, elsewhere and otherwise."""


def canonical(scans: Sequence[Scan], outline: Outline) -> list[NDArray[np.uint8] | None]:
    """Return the canonical image of each of ``scans``, None where no spine was found."""
    return [one.canonical for one in preparation.prepare(scans, outline)]


def copies(
    scans: Sequence[Scan],
    drawn: Sequence[Drawn | None],
    outline: Outline,
    count: int,
    seed: int,
) -> NDArray[np.uint8]:
    """Return (n, ``count``, 224, 224) uint8: canonical images of altered copies of ``scans``.

    Each of ``scans`` shows a spine. ``drawn`` says of each what a scanner has drawn into it, None
    where nothing is known. A copy in which no spine was found is replaced by the scan itself.
    """
    rounds = []
    originals = [image for image in canonical(scans, outline) if image is not None]
    for number in range(count):
        made = [
            Scan(_copy(scan, lines, np.random.default_rng([seed, number, index])), 8, "png")
            for index, (scan, lines) in enumerate(zip(scans, drawn, strict=True))
        ]
        rounds.append(
            [
                original if copy is None else copy
                for copy, original in zip(canonical(made, outline), originals, strict=True)
            ]
        )
    return np.stack([np.stack(of) for of in zip(*rounds, strict=True)])


def _copy(scan: Scan, lines: Drawn | None, rng: np.random.Generator) -> NDArray[np.uint8]:
    image = eight_bits(scan)
    if lines is not None and rng.random() < CLEAN:
        picture = Image.fromarray(lines.clean)
        if rng.random() < 0.5:
            picture = graphics.region(picture, lines.levels, rng)
        image = np.asarray(picture)
    return altered(image, rng)


def eight_bits(scan: Scan) -> NDArray[np.uint8]:
    """Return the pixels of ``scan`` in 8 bits."""
    if scan.bits <= 8:
        return scan.pixels.astype(np.uint8)
    rounded: NDArray[np.uint8] = np.rint(scan.pixels * (255 / (2**scan.bits - 1))).astype(np.uint8)
    return rounded
