"""TIFF 6.0 directories: checked, measured and stripped before Pillow decodes them."""

from __future__ import annotations

import struct
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.image.errors import (
    CorruptFileError,
    MultipleFramesError,
    UnsupportedColourError,
    UnsupportedFormatError,
)
from models.reading.header import Header
from models.reading.limits import Limits


class Tag(IntEnum):
    """The tags that pixels depend on; every other is left behind."""

    ImageWidth = 256
    ImageLength = 257
    BitsPerSample = 258
    Compression = 259
    PhotometricInterpretation = 262
    FillOrder = 266
    StripOffsets = 273
    Orientation = 274
    SamplesPerPixel = 277
    RowsPerStrip = 278
    StripByteCounts = 279
    PlanarConfiguration = 284
    Predictor = 317
    ColorMap = 320
    TileWidth = 322
    TileLength = 323
    TileOffsets = 324
    TileByteCounts = 325
    ExtraSamples = 338
    SampleFormat = 339
    JPEGTables = 347


WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE = 0, 1, 2, 3
PHOTOMETRIC_NAMES: Final = {4: "a mask", 5: "CMYK", 6: "YCbCr", 8: "CIELab", 9: "ICCLab"}
UNCOMPRESSED, LZW, JPEG, DEFLATE, PACKBITS, OLD_DEFLATE = 1, 5, 7, 8, 32773, 32946
COMPRESSIONS: Final = (UNCOMPRESSED, LZW, JPEG, DEFLATE, PACKBITS, OLD_DEFLATE)
DEPTHS: Final = {
    WHITE_IS_ZERO: (1, 2, 4, 8, 16),
    BLACK_IS_ZERO: (1, 2, 4, 8, 16),
    RGB: (8, 16),
    PALETTE: (1, 2, 4, 8),
}
UNDEFINED, SHORT, LONG = 7, 3, 4
MAX_VALUES: Final = 200_000
"""Enough for 40 million pixels in the smallest tiles that TIFF allows."""
UNUSED_SAMPLE, PREMULTIPLIED_ALPHA, ALPHA = 0, 1, 2


@dataclass(frozen=True)
class Directory:
    """The entries of one image: whole numbers by tag, and as they stand in the file."""

    order: str
    numbers: Mapping[int, tuple[int, ...]]
    raw: Mapping[int, bytes]
    following: int

    def one(self, tag: Tag, default: int | None = None) -> int:
        values = self.numbers.get(tag, () if default is None else (default,))
        if len(values) != 1:
            raise CorruptFileError(
                f"The TIFF has {len(values)} values for {tag.name}; one is needed."
            )
        return values[0]

    def many(self, tag: Tag) -> tuple[int, ...]:
        return self.numbers.get(tag, ())


def parse(data: bytes, limits: Limits) -> Header:
    """Return the header of the TIFF in ``data``, its size already checked against ``limits``.

    Raises :class:`CorruptFileError` for a directory or strips that point outside the file,
    :class:`MultipleFramesError` for more than one page, :class:`UnsupportedColourError` for
    anything but 1 to 16 bit unsigned grey, 8 or 16 bit RGB and palettes, and
    :class:`UnsupportedFormatError` for a compression that is not read.
    """
    directory = _directory(data)
    width, height = directory.one(Tag.ImageWidth), directory.one(Tag.ImageLength)
    limits.check(width, height)
    if directory.following:
        raise MultipleFramesError("The TIFF holds more than one page; one is allowed.")
    photometric = directory.one(Tag.PhotometricInterpretation)
    bits, samples = _check_kind(directory, photometric)
    limits.check(width, height, samples)
    _check_extent(data, directory, bits, samples, limits)
    return Header(
        width=width,
        height=height,
        sanitised=_strip(data, directory),
        orientation=_orientation(directory),
        palette=_palette(directory, bits) if photometric == PALETTE else None,
        white_is_zero=photometric == WHITE_IS_ZERO,
        lossy=directory.one(Tag.Compression, UNCOMPRESSED) == JPEG,
    )


def exif_orientation(exif: bytes) -> int:
    """Return the orientation, 1 to 8, in an EXIF block; 1 where it has none that can be read."""
    try:
        return _orientation(_directory(exif.removeprefix(b"Exif\0\0"), [Tag.Orientation]))
    except CorruptFileError:
        return 1


def _directory(data: bytes, wanted: Collection[int] = frozenset(Tag)) -> Directory:
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    if order is None or len(data) < 8:
        raise CorruptFileError("The TIFF has no readable header.")
    (start,) = struct.unpack(f"{order}I", data[4:8])
    count = int.from_bytes(data[start : start + 2], "little" if order == "<" else "big")
    table = data[start + 2 : start + 2 + 12 * count]
    following = data[start + 2 + 12 * count : start + 6 + 12 * count]
    if not count or len(table) < 12 * count:
        raise CorruptFileError("The TIFF is truncated: its directory lies outside the file.")
    numbers: dict[int, tuple[int, ...]] = {}
    raw: dict[int, bytes] = {}
    for offset in range(0, len(table), 12):
        entry = table[offset : offset + 12]
        tag, kind = struct.unpack(f"{order}HH", entry[:4])
        if tag in wanted:
            if tag in raw:
                raise CorruptFileError(f"The TIFF has {Tag(tag).name} more than once.")
            raw[tag] = entry
            if kind in (SHORT, LONG):
                numbers[tag] = _numbers(data, order, entry)
            elif tag != Tag.JPEGTables or kind != UNDEFINED or _end(entry, order) > len(data):
                raise CorruptFileError(f"The TIFF's {Tag(tag).name} is not of a type that it has.")
    return Directory(
        order=order,
        numbers=numbers,
        raw=raw,
        # Writers that end the file with the directory leave the link to the next one out.
        following=struct.unpack(f"{order}I", following)[0] if len(following) == 4 else 0,
    )


def _end(entry: bytes, order: str) -> int:
    length, offset = struct.unpack(f"{order}II", entry[4:12])
    return int(length + offset) if length > 4 else 0


def _numbers(data: bytes, order: str, entry: bytes) -> tuple[int, ...]:
    tag, kind, count, offset = struct.unpack(f"{order}HHII", entry)
    if count > MAX_VALUES:
        raise CorruptFileError(f"The TIFF has {count} values for {Tag(tag).name}.")
    size = 2 if kind == SHORT else 4
    stored = (
        entry[8 : 8 + size * count] if size * count <= 4 else data[offset : offset + size * count]
    )
    if len(stored) < size * count:
        raise CorruptFileError(f"The TIFF is truncated: its {Tag(tag).name} lies outside the file.")
    return struct.unpack(f"{order}{count}{'H' if kind == SHORT else 'I'}", stored)


def _check_kind(directory: Directory, photometric: int) -> tuple[int, int]:
    """Return bits and number of samples, both of a kind that Pillow decodes without loss."""
    compression = directory.one(Tag.Compression, UNCOMPRESSED)
    if compression not in COMPRESSIONS:
        raise UnsupportedFormatError(
            f"The TIFF is compressed by method {compression}; none, LZW, Deflate, PackBits and "
            "JPEG are read."
        )
    if directory.one(Tag.FillOrder, 1) != 1 or directory.one(Tag.Predictor, 1) not in (1, 2):
        raise UnsupportedFormatError("The TIFF stores its bits in a way that is not read.")
    if photometric not in DEPTHS:
        name = PHOTOMETRIC_NAMES.get(photometric, "of another colour space")
        raise UnsupportedColourError(f"The TIFF is {name}; grey, RGB and palettes are read.")
    samples = directory.one(Tag.SamplesPerPixel, 1)
    depths = directory.many(Tag.BitsPerSample) or (1,)
    bits = depths[0]
    if bits not in DEPTHS[photometric] or set(depths) != {bits} or len(depths) not in (1, samples):
        raise UnsupportedColourError(
            f"The TIFF has {bits} bits a sample; "
            f"{', '.join(map(str, DEPTHS[photometric]))} are read for its kind of colour."
        )
    if set(directory.many(Tag.SampleFormat)) - {1}:
        raise UnsupportedColourError(
            "The TIFF holds signed or floating-point samples; unsigned whole numbers are read."
        )
    extra = directory.many(Tag.ExtraSamples)
    if not _samples_fit(photometric, bits, samples, extra):
        raise UnsupportedColourError(
            f"The TIFF has {samples} samples a pixel, {len(extra)} of them extra; "
            "grey or RGB, with at most one alpha channel, is read."
        )
    return bits, samples


def _samples_fit(photometric: int, bits: int, samples: int, extra: tuple[int, ...]) -> bool:
    if set(extra) - {UNUSED_SAMPLE, PREMULTIPLIED_ALPHA, ALPHA}:
        return False
    if photometric == RGB:
        # Four samples without a word on the fourth are taken for alpha, the careful reading.
        return (samples, extra) == (3, ()) or (samples == 4 and len(extra) <= 1)
    has_alpha = samples == 2 and len(extra) == 1 and photometric != PALETTE and bits == 8
    return (samples, extra) == (1, ()) or has_alpha


def _check_extent(
    data: bytes, directory: Directory, bits: int, samples: int, limits: Limits
) -> None:
    """Check that strips or tiles lie in the file and decode to no more than the image."""
    width, height = directory.one(Tag.ImageWidth), directory.one(Tag.ImageLength)
    planes = samples if directory.one(Tag.PlanarConfiguration, 1) == 2 else 1
    offsets, lengths = directory.many(Tag.StripOffsets), directory.many(Tag.StripByteCounts)
    if offsets and directory.many(Tag.TileOffsets):
        raise CorruptFileError("The TIFF has both strips and tiles; one of them is allowed.")
    if offsets:
        wide, rows = width, min(directory.one(Tag.RowsPerStrip, height), height)
        last = height % rows or rows if rows else 0
    else:
        offsets, lengths = directory.many(Tag.TileOffsets), directory.many(Tag.TileByteCounts)
        wide, rows = directory.one(Tag.TileWidth), directory.one(Tag.TileLength)
        last = rows
    if not wide or not rows:
        raise CorruptFileError("The TIFF's strips or tiles are empty.")
    across, down = -(-width // wide), -(-height // rows)
    if across * wide * down * rows * samples > 2 * limits.max_samples:
        raise CorruptFileError("The TIFF's tiles are far larger than its image.")
    if not len(offsets) == len(lengths) == across * down * planes:
        raise CorruptFileError(
            f"The TIFF has {len(offsets)} strips or tiles; its size needs {across * down * planes}."
        )
    if any(offset + length > len(data) for offset, length in zip(offsets, lengths, strict=True)):
        raise CorruptFileError("The TIFF is truncated: its pixels lie outside the file.")
    # Each is read whole: a hundred thousand that share one megabyte are a hundred gigabytes.
    if sum(lengths) > len(data):
        raise CorruptFileError("The TIFF's strips or tiles overlap.")
    if directory.one(Tag.Compression, UNCOMPRESSED) == UNCOMPRESSED:
        line = -(-wide * bits * (samples // planes) // 8)
        for index, length in enumerate(lengths):
            at_foot = index // across % down == down - 1
            if length < line * (last if at_foot else rows):
                raise CorruptFileError("The TIFF holds fewer pixels than its size needs.")


def _strip(data: bytes, directory: Directory) -> bytes:
    """Return ``data`` with a directory of its own, of nothing but checked entries.

    Grey is always declared BlackIsZero: Pillow inverts WhiteIsZero at 8 bits and not at 16, so
    the reader does it. Orientation is left out, for the same reason.
    """
    order = directory.order
    entries = {tag: raw for tag, raw in directory.raw.items() if tag != Tag.Orientation}
    if directory.one(Tag.PhotometricInterpretation) == WHITE_IS_ZERO:
        entries[Tag.PhotometricInterpretation] = struct.pack(
            f"{order}HHIHH", Tag.PhotometricInterpretation, SHORT, 1, BLACK_IS_ZERO, 0
        )
    body = data[8:] + b"\0" * (len(data) % 2)
    table = b"".join(entries[tag] for tag in sorted(entries))
    return b"".join(
        (
            data[:4],
            struct.pack(f"{order}I", 8 + len(body)),
            body,
            struct.pack(f"{order}H", len(entries)),
            table,
            struct.pack(f"{order}I", 0),
        )
    )


def _orientation(directory: Directory) -> int:
    values = directory.many(Tag.Orientation)
    return values[0] if len(values) == 1 and 1 <= values[0] <= 8 else 1


def _palette(directory: Directory, bits: int) -> NDArray[np.uint8]:
    values = directory.many(Tag.ColorMap)
    if len(values) != 3 * 2**bits or max(values) > 0xFFFF:
        raise CorruptFileError(
            f"The TIFF's palette has {len(values)} values; {3 * 2**bits} are needed."
        )
    return (np.array(values, np.uint16).reshape(3, -1).T >> 8).astype(np.uint8)
