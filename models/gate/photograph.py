"""Signs of a photographed screen: the grid of its pixels, and the moiré that a camera makes of it.

Both are waves of one direction and length over the whole image, isolated peaks of its spectrum.
Bone, grain, lines and letters have none: what they hold of one frequency they hold of those around.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.image.scan import Scan

SIDE: Final = 192
"""Pixels of the image's middle that are looked at, as they came: resizing takes the grid away."""

LEAST: Final = 0.1
"""Times :data:`SIDE`: waves across it from which on bone has no part in them."""

UPRIGHT: Final = 2
"""Frequencies beside both axes that are left out: blocks of JPEG and drawn boxes lie on them."""

INNER, OUTER = 6, 9
"""Frequencies from a peak between which nothing may be nearly as strong."""

PEAK: Final = 3.0
"""Times the strongest of those, from which on a peak is a screen's. No scan of 114 has more than
1.6, none of 1,400 altered copies of them more than 2.3. Of their photographs as
:mod:`models.phantom.photograph` draws them, five in six have more."""

FAINT: Final = 0.5 / 255
"""Share of the display range that a wave's amplitude has at least: less may be made by rounding."""

Spectrum = NDArray[np.float32]


def _window() -> Spectrum:
    one = np.hanning(SIDE)
    return np.outer(one, one).astype(np.float32)


def _weights() -> Spectrum:
    """Return (192, 97): by what strengths are multiplied to compare them, since images of bone have
    the less of a frequency the higher it is; 0 where no peak is looked for."""
    down = np.abs(np.fft.fftfreq(SIDE) * SIDE)[:, None]
    right = np.fft.rfftfreq(SIDE)[None] * SIDE
    radius = np.hypot(down, right)
    asked = (radius >= LEAST * SIDE) & (radius < SIDE / 2 - 1)
    asked &= (down >= UPRIGHT) & (right >= UPRIGHT)
    return np.where(asked, radius**1.5, 0).astype(np.float32)


_WINDOW: Final = _window()
_TOTAL: Final = float(_WINDOW.sum())
_WEIGHTS: Final = _weights()
_APART: Final = np.arange(-OUTER, OUTER + 1)
_AROUND: Final = np.maximum(np.abs(_APART)[:, None], np.abs(_APART)) >= INNER


def is_photograph(scan: Scan) -> bool:
    """Return whether ``scan`` shows the pixels of a screen. A blurred photograph does not."""
    return peak(scan) >= PEAK


def peak(scan: Scan) -> float:
    """Return how far the strongest wave in the middle of ``scan`` exceeds those of nearly the same
    length and direction; 0 for a faint one."""
    strengths = np.abs(np.fft.rfft2(_middle(scan) * _WINDOW))
    row, column = divmod(int((strengths * _WEIGHTS).argmax()), strengths.shape[1])
    highest = float(strengths[row, column])
    if 2 * highest / _TOTAL < FAINT * (2**scan.bits - 1):
        return 0.0
    return highest / max(float(_beside(strengths, row, column).max()), 1e-6)


def _middle(scan: Scan) -> Spectrum:
    height, width = scan.pixels.shape
    top, left = max(0, height - SIDE) // 2, max(0, width - SIDE) // 2
    middle = scan.pixels[top : top + SIDE, left : left + SIDE].astype(np.float32)
    middle -= middle.mean()
    missing = (SIDE - middle.shape[0], SIDE - middle.shape[1])
    return np.pad(middle, [(0, missing[0]), (0, missing[1])]) if any(missing) else middle


def _beside(strengths: Spectrum, row: int, column: int) -> Spectrum:
    """Return the strengths around one, without those next to it and along the axes.

    Half of the spectrum is there: the other half is its mirror image through the middle.
    """
    rows, columns = np.broadcast_arrays((row + _APART)[:, None], column + _APART)
    mirrored = (columns < 0) | (columns > SIDE // 2)
    rows = np.where(mirrored, -rows, rows) % SIDE
    columns = np.where(columns > SIDE // 2, SIDE - columns, np.abs(columns))
    asked = _AROUND & (np.minimum(rows, SIDE - rows) >= UPRIGHT) & (columns >= UPRIGHT)
    return np.asarray(strengths[rows, columns][asked])
