"""Colour to grey, in one place, so that the same colours give the same grey in every format."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def luma(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the grey of ``rgb``, (height, width, 3) uint8, as (height, width) uint8.

    ITU-R 601-2 luma as Pillow rounds it: the models learnt from scans that were read this way.
    Equal red, green and blue come back unchanged.
    """
    return np.array(Image.fromarray(rgb).convert("L"))


def from_ybr(ybr: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return full-range YCbCr (DICOM YBR_FULL, PS3.3 C.7.6.3.1.2) as RGB, same shape, uint8."""
    height, width, _ = ybr.shape
    image = Image.frombytes("YCbCr", (width, height), ybr.tobytes())
    return np.array(image.convert("RGB"))
