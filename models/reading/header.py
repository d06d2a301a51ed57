"""What PNG, JPEG and TIFF say of their pixels before any of them is decoded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Header:
    """A raster file, understood and stripped.

    ``sanitised`` is the file again with nothing in it but what the pixels depend on. Comments,
    EXIF, colour profiles and text never reach the decoder: they are where its warnings, its second
    decompressors and the patient's name live.

    ``others`` hold the same in other ways: what decodes otherwise in one of them is damaged.

    ``palette`` is (entries, 3) uint8; ``palette_alpha`` (entries,) uint8 beside it.
    ``transparent`` is the one grey level or colour that a PNG declares see-through, as it looks
    after decoding. ``white_is_zero`` is left to the reader: decoders disagree on it.
    """

    width: int
    height: int
    sanitised: bytes
    others: tuple[bytes, ...] = ()
    orientation: int = 1
    palette: NDArray[np.uint8] | None = None
    palette_alpha: NDArray[np.uint8] | None = None
    transparent: tuple[int, ...] | None = None
    white_is_zero: bool = False
    lossy: bool = False
