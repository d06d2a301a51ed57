"""Scans and their altered copies, brought to canonical form."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.dataset.copies import member, rounds
from models.dataset.drawn import Drawn
from models.image.scan import Scan
from models.inference import preparation
from models.inference.preparation import Outline


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
    """Return (n, ``count``, 224, 224) uint8: canonical images of altered copies of ``scans``, of
    the families that :func:`models.dataset.copies.rounds` names.

    Each of ``scans`` shows a spine. ``drawn`` says of each what a scanner has drawn into it, None
    where nothing is known. A copy in which no spine was found is replaced by the scan itself.
    """
    shown = []
    originals = [image for image in canonical(scans, outline) if image is not None]
    for number, family in enumerate(rounds(count)):
        made = [
            Scan(member(family, eight_bits(scan), lines, _rng(seed, number, index)), 8, "png")
            for index, (scan, lines) in enumerate(zip(scans, drawn, strict=True))
        ]
        shown.append(
            [
                original if copy is None else copy
                for copy, original in zip(canonical(made, outline), originals, strict=True)
            ]
        )
    return np.stack([np.stack(of) for of in zip(*shown, strict=True)])


def _rng(*seed: int) -> np.random.Generator:
    return np.random.default_rng(list(seed))


def eight_bits(scan: Scan) -> NDArray[np.uint8]:
    """Return the pixels of ``scan`` in 8 bits."""
    if scan.bits <= 8:
        return scan.pixels.astype(np.uint8)
    rounded: NDArray[np.uint8] = np.rint(scan.pixels * (255 / (2**scan.bits - 1))).astype(np.uint8)
    return rounded
