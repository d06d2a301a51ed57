"""Which images show the same scan, though their files differ.

Each canonical image is hashed by pHash of 16×16 coefficients (the bits are those of
``imagehash.phash(image, 16)``), as it is and as it would be if shifted, turned, zoomed and mirrored
a little. Two are alike when one as it is and any view of the other differ in at most
:data:`ALIKE` of 256 bits. Measured, smallest distances, and largest where alike is right:

====================================================  ======================  =======
pairs                                                 smallest                largest
====================================================  ======================  =======
114 real scans: marked as near-duplicates (8)         4                       26
one more pair of one block, which nobody marked       24
all other pairs (6432)                                56, 58, 64, 68
400 phantoms of as many patients (79 800)             50, 50, 50, 52
120 knee and pelvis radiographs (7140)                32, 40, 46, 46
a real scan and an augmented copy of it (228)         8; median 34            62
a phantom and an augmented copy of it (200)           12; median 34           58
a scan and an augmented copy of another one           44
one phantom patient, lying down twice (60)            56; median 87           108
====================================================  ======================  =======

So 80 % of single augmented copies are found, and no two different spine scans. Two scans of one
patient are *not* found by this: only a patient's identity tells.

Without moved views one finds 1 % of the copies. Of other hashes of the plain image 8×8 pHash, dHash
and average hash overlap (marked up to 6, 6 and 10 bits, others from 4, 2 and 6), 12×12 pHash leaves
others from 34 and phantoms from 22, and dHash of 16×16 others from 50; the moved views of 12×12
overlap with other scans too.

Own arithmetic, because ``imagehash`` would hash the 162 views of an image one by one in 25 ms;
this takes 8 ms, and a test holds it to the same bits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

BITS: Final = 256
ALIKE: Final = 40
"""Between the 26 of what is alike and the 50 of what is not."""
SIDE: Final = 16
REDUCED: Final = 64
"""Pixels a side at which images are moved and hashed; four a coefficient, as pHash is defined."""
TURNS: Final = (-2.7, 0.0, 2.7)
ZOOMS: Final = (0.95, 1.0, 1.05)
SHIFTS: Final = (-2.0, 0.0, 2.0)
"""Degrees, shares and reduced pixels: about two thirds of what augmentation does, so that no copy
is far from one of them."""
MOVES: Final = tuple(product(TURNS, ZOOMS, SHIFTS, SHIFTS))
AS_IS: Final = MOVES.index((0.0, 1.0, 0.0, 0.0))

_FREQUENCIES = np.arange(SIDE)[:, None] * (2 * np.arange(REDUCED) + 1)
_COSINES: Final = np.cos(np.pi * _FREQUENCIES / (2 * REDUCED))
"""(16, 64): the lowest rows of the discrete cosine transform (type II)."""
_MIRRORED: Final = np.where(np.arange(SIDE) % 2, -1.0, 1.0)


@dataclass(frozen=True, eq=False)
class Fingerprints:
    """``views`` (n, 162, 4) uint64: 256 bits of each view. ``shaped`` (n,) bool: whether there is
    anything to see; an image of one grey level is like nothing, itself included."""

    views: NDArray[np.uint64]
    shaped: NDArray[np.bool_]

    def select(self, indices: Sequence[int] | NDArray[np.intp]) -> Fingerprints:
        chosen = np.asarray(indices, dtype=np.intp)
        return Fingerprints(self.views[chosen], self.shaped[chosen])


def fingerprints(images: NDArray[np.uint8]) -> Fingerprints:
    """Return the fingerprints of ``images`` (n, height, width)."""
    views = np.zeros((len(images), 2 * len(MOVES), BITS // 64), np.uint64)
    shaped = np.zeros(len(images), np.bool_)
    for index, image in enumerate(images):
        shaped[index] = image.min() != image.max()
        views[index] = _hashes(_COSINES @ _moved(image) @ _COSINES.T)
    return Fingerprints(views, shaped)


def distances(ones: Fingerprints, others: Fingerprints) -> NDArray[np.int64]:
    """Return the distances (len(ones), len(others)) in bits, ``BITS`` where nothing can be said."""
    there = _nearest(ones, others)
    back = there if others is ones else _nearest(others, ones)
    found = np.minimum(there, back.T)
    found[~(ones.shaped[:, None] & others.shaped[None, :])] = BITS
    return found


def pairs(fingerprints: Fingerprints) -> Iterator[tuple[int, int]]:
    """Yield the indices of each two that are alike, the smaller first."""
    for one, other in np.argwhere(distances(fingerprints, fingerprints) <= ALIKE):
        if one < other:
            yield int(one), int(other)


def _moved(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the image in every move: (81, 64, 64)."""
    size = REDUCED, REDUCED
    reduced = Image.fromarray(image).resize(size, Image.Resampling.LANCZOS)
    middle = (REDUCED - 1) / 2.0
    moved = np.empty((len(MOVES), *size))
    for index, (turn, zoom, right, down) in enumerate(MOVES):
        cosine, sine = np.cos(np.deg2rad(turn)) / zoom, np.sin(np.deg2rad(turn)) / zoom
        # Pillow wants, for each target pixel, where it comes from.
        matrix = (
            cosine,
            sine,
            middle - (cosine + sine) * middle + right,
            -sine,
            cosine,
            middle + (sine - cosine) * middle + down,
        )
        view = reduced
        if index != AS_IS:
            view = reduced.transform(
                size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR
            )
        moved[index] = np.asarray(view)
    return moved


def _hashes(coefficients: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Return 256 bits for each of (n, 16, 16), then for each as if its image were mirrored."""
    both = np.concatenate([coefficients, coefficients * _MIRRORED]).reshape(-1, BITS)
    bits = both > np.median(both, axis=1, keepdims=True)
    return np.packbits(bits, axis=1).view(np.uint64)


def _nearest(ones: Fingerprints, others: Fingerprints) -> NDArray[np.int64]:
    """Return the distances from any view of ``ones`` to ``others`` as they are."""
    plain = others.views[:, AS_IS]
    found = np.empty((len(ones.views), len(plain)), np.int64)
    for index, views in enumerate(ones.views):
        differing = np.bitwise_count(views[:, None] ^ plain[None]).sum(axis=2, dtype=np.uint16)
        found[index] = differing.min(axis=0)
    return found
