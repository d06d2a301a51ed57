"""The grey values that a capture shows, read in a decoder's worker: keep its imports small."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.reading import Limits, read

LEAST, MOST = 512, 1024
"""Pixels of the longer side of a capture."""


def shown(data: bytes, limits: Limits) -> tuple[NDArray[np.uint8], float]:
    """Return the scan in the file ``data`` as 8-bit grey, (height, width), and how much larger it
    is than as it was sent.

    Raises :class:`~models.image.errors.ScanError`.
    """
    scan = read(data, limits)
    grey = scan.pixels
    if scan.bits != 8:
        grey = (grey.astype(np.float32) * (255.0 / (2**scan.bits - 1))).round().astype(np.uint8)
    longest = max(grey.shape)
    scale = min(max(1.0, LEAST / longest), MOST / longest)
    size = (max(1, round(scan.width * scale)), max(1, round(scan.height * scale)))
    picture = Image.fromarray(np.asarray(grey, dtype=np.uint8))
    return np.asarray(picture.resize(size, Image.Resampling.BILINEAR)), scale
