"""What a DICOM file says of its frame (Image Pixel Module, PS3.3 C.7.6.3), checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from models.image.errors import (
    InvalidTagError,
    MissingTagError,
    MultipleFramesError,
    UnsupportedColourError,
)
from models.reading.dataset import Dataset, plain
from models.reading.limits import Limits
from models.reading.tags import Tag

MONOCHROME: Final = ("MONOCHROME1", "MONOCHROME2")
PALETTE: Final = "PALETTE COLOR"
COLOUR: Final = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_RCT", "YBR_ICT")
PHOTOMETRICS: Final = {plain(name): name for name in (*MONOCHROME, PALETTE, *COLOUR)}


@dataclass(frozen=True)
class Frame:
    """One frame as its data set describes it.

    A stored value is ``bits`` wide, in the lower bits of a container of ``allocated`` bits, and
    two's complement where ``signed``. ``by_plane`` tells that three samples come as three images
    (Planar Configuration 1); None where the file does not say.
    """

    rows: int
    columns: int
    photometric: str
    samples: int
    allocated: int
    bits: int
    signed: bool
    by_plane: bool | None

    @property
    def length(self) -> int:
        """The bytes that the frame takes uncompressed (PS3.5 8.1.1)."""
        # YBR_FULL_422 stores two chrominance samples for two pixels instead of four.
        samples = 2 if self.photometric == "YBR_FULL_422" else self.samples
        return self.rows * self.columns * samples * self.allocated // 8


def describe(dataset: Dataset, limits: Limits) -> Frame:
    """Return the frame of ``dataset``, its size already checked against ``limits``.

    Raises :class:`MissingTagError` and :class:`InvalidTagError` for what pixels depend on,
    :class:`MultipleFramesError`, and :class:`UnsupportedColourError` for a Photometric
    Interpretation that is not read.
    """
    rows, columns = dataset.required(Tag.Rows), dataset.required(Tag.Columns)
    # Blank, zero or no number at all: as many as there are pixels for, which is one.
    frames = next(iter(dataset.decimals(Tag.NumberOfFrames)), None) or 1
    if frames > 1:
        raise MultipleFramesError(f"The DICOM file holds {frames:g} frames; one is allowed.")
    limits.check(columns, rows)
    photometric = _photometric(dataset)
    expected = 3 if photometric in COLOUR else 1
    samples = dataset.integer(Tag.SamplesPerPixel)
    samples = expected if samples is None else samples
    if samples != expected:
        raise InvalidTagError(
            f"{Tag.SamplesPerPixel} is {samples}; {photometric} needs {expected}."
        )
    limits.check(columns, rows, samples)
    high_bit = dataset.integer(Tag.HighBit)
    frame = Frame(
        rows=rows,
        columns=columns,
        photometric=photometric,
        samples=samples,
        allocated=dataset.required(Tag.BitsAllocated),
        bits=_bits(dataset, high_bit),
        signed=_is_signed(dataset, photometric),
        by_plane=_by_plane(dataset) if samples > 1 else None,
    )
    _check_bits(frame, high_bit)
    return frame


def _bits(dataset: Dataset, high_bit: int | None) -> int:
    """Return Bits Stored; where they are missing, the High Bit is the last of them."""
    if high_bit is not None and Tag.BitsStored not in dataset:
        return high_bit + 1
    return dataset.required(Tag.BitsStored)


def _is_signed(dataset: Dataset, photometric: str) -> bool:
    """Tell whether stored values are two's complement; in colour they never are."""
    if photometric not in MONOCHROME and Tag.PixelRepresentation not in dataset:
        return False
    return bool(_flag(dataset.required(Tag.PixelRepresentation), Tag.PixelRepresentation))


def _photometric(dataset: Dataset) -> str:
    written = dataset.text(Tag.PhotometricInterpretation)
    if written is None:
        raise MissingTagError(f"{Tag.PhotometricInterpretation} is missing; black has no side.")
    photometric = PHOTOMETRICS.get(plain(written))
    if photometric is None:
        raise UnsupportedColourError(
            f"{Tag.PhotometricInterpretation} names a kind of colour that is not read; "
            f"{', '.join((*MONOCHROME, PALETTE, *COLOUR))} are."
        )
    return photometric


def _by_plane(dataset: Dataset) -> bool | None:
    planar = dataset.integer(Tag.PlanarConfiguration)
    return None if planar is None else bool(_flag(planar, Tag.PlanarConfiguration))


def _flag(value: int, tag: Tag) -> int:
    if value not in (0, 1):
        raise InvalidTagError(f"{tag} is {value}; 0 and 1 are allowed.")
    return value


def _check_bits(frame: Frame, high_bit: int | None) -> None:
    """Check the containers (PS3.5 8.1.1); colour is read at 8 bits only, as displays show it."""
    colour = frame.samples > 1
    if frame.allocated not in ((8,) if colour else (8, 16)):
        raise InvalidTagError(
            f"{Tag.BitsAllocated} is {frame.allocated}; "
            f"{'8 is allowed for colour' if colour else '8 and 16 are allowed'}."
        )
    lowest = frame.allocated if colour else 2
    if not lowest <= frame.bits <= frame.allocated:
        raise InvalidTagError(
            f"{Tag.BitsStored} is {frame.bits}; {lowest} to {frame.allocated} are allowed "
            f"in {frame.allocated} allocated bits."
        )
    # Where values fill their containers they lie nowhere else, whatever is said of it.
    if frame.bits < frame.allocated and high_bit not in (None, frame.bits - 1):
        raise InvalidTagError(
            f"{Tag.HighBit} is {high_bit}; {frame.bits - 1} is allowed for {frame.bits} bits."
        )
    if frame.signed and frame.photometric not in MONOCHROME:
        raise InvalidTagError(f"{Tag.PixelRepresentation} is 1 (signed); colour needs 0.")
