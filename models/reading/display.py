"""From stored values to what a display shows (PS3.3 C.11, PS3.4 N.2).

The order is the standard's: modality LUT or rescale (C.11.1), VOI LUT or window (C.11.2), then
inversion. Each step works on one table of all values that can be stored, 65536 at most, and the
image is looked up in the outcome at the end: the same arithmetic for two pixels or forty million.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.image.errors import InvalidTagError, MissingTagError
from models.reading import lookup
from models.reading.dataset import Dataset
from models.reading.frame import Frame
from models.reading.tags import Tag
from models.reading.types import Pixels


@dataclass(frozen=True, eq=False)
class Levels:
    """What each stored value has become so far.

    ``values`` is (2**stored bits,) float64, in the order of the stored bit patterns; ``low`` and
    ``high`` are the ends of the range that it could fill, ``bits`` how finely that is told.
    """

    values: NDArray[np.float64]
    low: float
    high: float
    bits: int

    def scaled(self) -> NDArray[np.float64]:
        """Return the values between 0 for ``low`` and 1 for ``high``."""
        return (self.values - self.low) / (self.high - self.low)


def table(dataset: Dataset, frame: Frame) -> tuple[Pixels, int]:
    """Return the display value for each stored bit pattern, and the bits of display values.

    The table is (2**``frame.bits``,) uint8 for 8 bits, else uint16; black is 0, white is
    2**bits - 1. Without a VOI transform the full range of the stored values is shown, not the part
    that the image happens to use: two images of one scanner stay comparable.

    Raises :class:`MissingTagError` and :class:`InvalidTagError` for a transform that cannot be
    carried out.
    """
    levels = voi(modality(stored(frame), dataset, frame), dataset)
    shown = levels.scaled()
    if is_inverted(dataset, frame):
        shown = 1.0 - shown
    white = (1 << levels.bits) - 1
    display = np.rint(np.clip(shown, 0.0, 1.0) * white).astype(np.uint16)
    return display.astype(np.uint8) if levels.bits == 8 else display, levels.bits


def stored(frame: Frame) -> Levels:
    """Return the values that ``frame.bits`` bits can hold (C.7.6.3.1)."""
    count = 1 << frame.bits
    values = np.arange(count, dtype=np.float64)
    low = 0
    if frame.signed:
        values[count // 2 :] -= count
        low = -count // 2
    return Levels(values, low, low + count - 1, max(8, frame.bits))


def modality(levels: Levels, dataset: Dataset, frame: Frame) -> Levels:
    """Apply Modality LUT Sequence or Rescale Slope and Intercept (C.11.1)."""
    item = dataset.first_item(Tag.ModalityLUTSequence)
    if item is not None:
        return _looked_up(levels, item, signed=frame.signed)
    slope, intercept = dataset.decimal(Tag.RescaleSlope), dataset.decimal(Tag.RescaleIntercept)
    if slope is None and intercept is None:
        return levels
    if slope is None or intercept is None:
        missing = Tag.RescaleSlope if slope is None else Tag.RescaleIntercept
        raise MissingTagError(f"{missing} is missing; one without the other says nothing.")
    if not 1e-9 <= abs(slope) <= 1e9:
        raise InvalidTagError(
            f"{Tag.RescaleSlope} is {slope:g}; 1e-9 to 1e9, or its negative, is allowed."
        )
    low, high = sorted((levels.low * slope + intercept, levels.high * slope + intercept))
    return Levels(levels.values * slope + intercept, low, high, levels.bits)


def voi(levels: Levels, dataset: Dataset) -> Levels:
    """Apply the first VOI LUT or, without one, the first window (C.11.2); else nothing."""
    item = dataset.first_item(Tag.VOILUTSequence)
    if item is not None:
        return _looked_up(levels, item, signed=levels.low < 0)
    centre, width = dataset.decimal(Tag.WindowCenter), dataset.decimal(Tag.WindowWidth)
    if centre is None and width is None:
        return levels
    if centre is None or width is None:
        missing = Tag.WindowCenter if centre is None else Tag.WindowWidth
        raise MissingTagError(f"{missing} is missing; one without the other says nothing.")
    shown = window(levels.values, centre, width, dataset.text(Tag.VOILUTFunction) or "LINEAR")
    return Levels(shown, 0.0, 1.0, levels.bits)


def window(
    values: NDArray[np.float64], centre: float, width: float, function: str
) -> NDArray[np.float64]:
    """Return ``values`` through a window, 0 to 1 (C.11.2.1.2, C.11.2.1.3).

    LINEAR counts from the middle of one grey level to that of another, so that centre 128 and
    width 256 leave 8 bits unchanged; LINEAR_EXACT does not. Raises :class:`InvalidTagError` for
    another function, and for a width below 1 (LINEAR) or not above 0 (the others).
    """
    if function not in ("LINEAR", "LINEAR_EXACT", "SIGMOID"):
        raise InvalidTagError(
            f"{Tag.VOILUTFunction} is not known; LINEAR, LINEAR_EXACT and SIGMOID are allowed."
        )
    least = 1.0 if function == "LINEAR" else 1e-9
    if width < least:
        raise InvalidTagError(
            f"{Tag.WindowWidth} is {width:g}; {least:g} or more is allowed for {function}."
        )
    if function == "SIGMOID":
        return 1.0 / (1.0 + np.exp(np.clip(-4.0 * (values - centre) / width, -700.0, 700.0)))
    if function == "LINEAR":
        centre, width = centre - 0.5, width - 1.0
    if width == 0:
        return (values > centre).astype(np.float64)
    return np.clip((values - centre) / width + 0.5, 0.0, 1.0)


def is_inverted(dataset: Dataset, frame: Frame) -> bool:
    """Tell whether the lowest value is to be shown white.

    MONOCHROME1 says so by itself (C.7.6.3.1.2), and the Presentation LUT Shape INVERSE that is
    expected beside it (C.11.6.1.2) says the same thing, not a second time. With MONOCHROME2 INVERSE
    is all that says it.
    """
    shape = dataset.text(Tag.PresentationLUTShape)
    return frame.photometric == "MONOCHROME1" or shape == "INVERSE"


def _looked_up(levels: Levels, item: Dataset, *, signed: bool) -> Levels:
    table = lookup.read(item, Tag.LUTDescriptor, Tag.LUTData, signed=signed)
    values: NDArray[Any] = table(levels.values)
    return Levels(values.astype(np.float64), 0.0, float((1 << table.bits) - 1), table.bits)
