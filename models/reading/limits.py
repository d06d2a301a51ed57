"""How large and how small an image may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from models.image.errors import TooFewPixelsError, TooManyPixelsError

PILLOW_MAX_PIXELS: Final = 1024 * 1024 * 1024 // 4 // 3
"""Above this Pillow itself warns of a decompression bomb; no limit may reach past it."""


@dataclass(frozen=True)
class Limits:
    """What a reader accepts, checked on the header, before anything is decoded.

    ===============  ============  ============================================================
    ``max_samples``  20 million    width × height × colour and alpha channels; twice the largest
                                   radiograph plates, and what a decoder's memory is sized for
    ``min_side``     32 pixels     a thumbnail has no vertebrae to judge
    ===============  ============  ============================================================

    There is no limit on frames to set: a :class:`~models.image.scan.Scan` is one image, and a
    file with more is refused.
    """

    max_samples: int = 20_000_000
    min_side: int = 32

    def __post_init__(self) -> None:
        if not 1 <= self.max_samples <= PILLOW_MAX_PIXELS:
            raise ValueError(
                f"max_samples is {self.max_samples}; 1 to {PILLOW_MAX_PIXELS} is allowed"
            )
        if self.min_side < 2:
            raise ValueError(f"min_side is {self.min_side}; 2 or more is allowed")

    def check(self, width: int, height: int, samples: int = 1) -> None:
        """Raise :class:`TooFewPixelsError` or :class:`TooManyPixelsError` for such a size."""
        if min(width, height) < self.min_side:
            raise TooFewPixelsError(
                f"The image is {width}×{height} pixels; "
                f"at least {self.min_side} on each side are needed."
            )
        if width * height * samples > self.max_samples:
            each = "" if samples == 1 else f" of {samples} samples"
            raise TooManyPixelsError(
                f"The image claims {width}×{height} pixels{each}; "
                f"at most {self.max_samples} samples in all are read."
            )
