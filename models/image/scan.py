"""A scan as everything after the reader sees it: display values and the few facts that matter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Format = Literal["png", "jpeg", "tiff", "dicom"]


@dataclass(frozen=True, eq=False)
class Scan:
    """One image, ready for the eye: black is 0, white is ``2**bits - 1``.

    ``pixels`` is (height, width), uint8 for up to 8 bits, else uint16; modality and VOI
    transforms and the inversion of MONOCHROME1 are already applied.
    ``spacing`` is (row, column) distance in millimetres, None where the file does not say.
    ``tags`` holds only what bears on the pixels (DICOM keyword → text): never an identifier.
    ``lossy`` tells that grey levels may differ from what the scanner made.
    """

    pixels: NDArray[np.uint8] | NDArray[np.uint16]
    bits: int
    format: Format
    spacing: tuple[float, float] | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    lossy: bool = False

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])
