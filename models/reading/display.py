"""From stored values to what a display shows (PS3.3 C.11, PS3.4 N.2).

The order is the standard's: modality LUT or rescale (C.11.1), VOI LUT or window (C.11.2), then
inversion. Each step works on one table of all values that can be stored, 65536 at most, and the
image is looked up in the outcome at the end: the same arithmetic for two pixels or forty million.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.image.errors import InvalidTagError, MissingTagError, ScanError
from models.reading import lookup
from models.reading.dataset import Dataset, plain
from models.reading.frame import Frame
from models.reading.tags import Tag
from models.reading.types import Pixels

NO_RESCALE: Final = (1.0, 0.0)
LEAST_WIDTHS: Final[Mapping[str, float]] = {"LINEAR": 1.0, "LINEAR_EXACT": 1e-9, "SIGMOID": 1e-9}


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
    carried out, unless the table is the same without what is wrong in it.
    """
    item = _lut(dataset, Tag.ModalityLUTSequence)
    if item is not None:
        return _shown(_looked_up(stored(frame), item, signed=frame.signed), dataset, frame)
    (first, *others), missing = _rescales(dataset)
    found = _shown(_rescaled(stored(frame), *first), dataset, frame)
    for other in others:
        shown, _ = _shown(_rescaled(stored(frame), *other), dataset, frame)
        if not np.array_equal(found[0], shown):
            raise missing
    return found


def _shown(levels: Levels, dataset: Dataset, frame: Frame) -> tuple[Pixels, int]:
    levels = voi(levels, dataset)
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


def _rescales(dataset: Dataset) -> tuple[list[tuple[float, float]], ScanError]:
    """Return how Rescale Slope and Intercept (C.11.1) can be understood, likeliest first, and what
    is to be said where that makes a difference.

    Of half a rescale some readers take nothing, others 1 or 0 for what is missing; an intercept
    that is no number could be any, but moves what is shown in a window only.
    """
    slope = dataset.decimal(Tag.RescaleSlope)
    if slope is not None and not 1e-9 <= abs(slope) <= 1e9:
        raise InvalidTagError(
            f"{Tag.RescaleSlope} is {slope:g}; 1e-9 to 1e9, or its negative, is allowed."
        )
    missing = Tag.RescaleSlope if slope is None else Tag.RescaleIntercept
    said: ScanError = MissingTagError(f"{missing} is missing; one without the other says nothing.")
    try:
        intercept = dataset.decimal(Tag.RescaleIntercept)
    except InvalidTagError as error:
        return [(slope or 1.0, 0.0), (slope or 1.0, 1e6), NO_RESCALE], error
    if slope is not None and intercept is not None:
        return [(slope, intercept)], said
    return [(slope or 1.0, intercept or 0.0), NO_RESCALE], said


def _rescaled(levels: Levels, slope: float, intercept: float) -> Levels:
    if (slope, intercept) == NO_RESCALE:
        return levels
    low, high = sorted((levels.low * slope + intercept, levels.high * slope + intercept))
    return Levels(levels.values * slope + intercept, low, high, levels.bits)


def voi(levels: Levels, dataset: Dataset) -> Levels:
    """Apply the first VOI LUT or, without one, the first window that is one (C.11.2); else nothing.

    Half a window, or one of no width, is how writers say that there is none. Raises
    :class:`InvalidTagError` for a VOI LUT Function that is not known.
    """
    item = _lut(dataset, Tag.VOILUTSequence)
    if item is not None:
        return _looked_up(levels, item, signed=levels.low < 0)
    centres, widths = dataset.decimals(Tag.WindowCenter), dataset.decimals(Tag.WindowWidth)
    for centre, width in zip(centres, widths, strict=False):
        if centre is None or width is None or width <= 0:
            continue
        function = _function(dataset)
        if width >= LEAST_WIDTHS[function]:
            return Levels(window(levels.values, centre, width, function), 0.0, 1.0, levels.bits)
    return levels


def _function(dataset: Dataset) -> str:
    written = plain(dataset.text(Tag.VOILUTFunction) or "LINEAR")
    for function in LEAST_WIDTHS:
        if plain(function) == written:
            return function
    raise InvalidTagError(
        f"{Tag.VOILUTFunction} is not known; LINEAR, LINEAR_EXACT and SIGMOID are allowed."
    )


def window(
    values: NDArray[np.float64], centre: float, width: float, function: str
) -> NDArray[np.float64]:
    """Return ``values`` through a window, 0 to 1 (C.11.2.1.2, C.11.2.1.3).

    LINEAR counts from the middle of one grey level to that of another, so that centre 128 and
    width 256 leave 8 bits unchanged; LINEAR_EXACT does not. The width is at least what
    :data:`LEAST_WIDTHS` says.
    """
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
    return frame.photometric == "MONOCHROME1" or plain(shape or "") == "INVERSE"


def _lut(dataset: Dataset, tag: Tag) -> Dataset | None:
    """Return the first item of a sequence of tables, None where it has none or an empty one."""
    item = dataset.first_item(tag)
    return item if item and (Tag.LUTDescriptor in item or Tag.LUTData in item) else None


def _looked_up(levels: Levels, item: Dataset, *, signed: bool) -> Levels:
    table = lookup.read(item, Tag.LUTDescriptor, Tag.LUTData, signed=signed)
    values: NDArray[Any] = table(levels.values)
    return Levels(values.astype(np.float64), 0.0, float((1 << table.bits) - 1), table.bits)
