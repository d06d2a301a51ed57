"""TIFF 6.0 and BigTIFF: checked, measured and written anew before Pillow decodes them."""

from __future__ import annotations

import contextlib
import itertools
import struct
from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.image.errors import (
    CorruptFileError,
    MultipleFramesError,
    UnsupportedColourError,
    UnsupportedFormatError,
)
from models.reading import exif
from models.reading.directory import LONG, NUMBERS, SHORT, UNDEFINED, Directory, Tag
from models.reading.header import Header
from models.reading.limits import Limits

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE = 0, 1, 2, 3
PHOTOMETRIC_NAMES: Final = {4: "a mask", 5: "CMYK", 6: "YCbCr", 8: "CIELab", 9: "ICCLab"}
UNCOMPRESSED, LZW, JPEG, DEFLATE, PACKBITS, OLD_DEFLATE = 1, 5, 7, 8, 32773, 32946
COMPRESSIONS: Final = (UNCOMPRESSED, LZW, JPEG, DEFLATE, PACKBITS, OLD_DEFLATE)
PREDICTING: Final = (LZW, DEFLATE, OLD_DEFLATE)
COMPRESSION_NAMES: Final = {
    2: "CCITT run lengths",
    3: "fax group 3",
    4: "fax group 4",
    6: "JPEG of the old kind",
    34712: "JPEG 2000",
    34925: "LZMA",
    50000: "Zstandard",
    50001: "WebP",
    50002: "JPEG XL",
    52546: "JPEG XL",
}
DEPTHS: Final = {
    WHITE_IS_ZERO: (1, 2, 4, 8, 16),
    BLACK_IS_ZERO: (1, 2, 4, 8, 16),
    RGB: (8, 16),
    PALETTE: (1, 2, 4, 8),
}
UNSIGNED, UNTYPED = 1, 4
"""Sample formats; the latter is to be taken for the former (section 19)."""
UNUSED_SAMPLE, PREMULTIPLIED_ALPHA, ALPHA = 0, 1, 2


def parse(data: bytes, limits: Limits) -> Header:
    """Return the header of the TIFF in ``data``, its size already checked against ``limits``.

    Raises :class:`CorruptFileError` for a directory or strips that point outside the file,
    :class:`MultipleFramesError` for more than one page, :class:`UnsupportedColourError` for
    anything but 1 to 16 bit unsigned grey, 8 or 16 bit RGB and palettes, and
    :class:`UnsupportedFormatError` for a compression that is not read.
    """
    directory = Directory(data)
    width, height = directory.one(Tag.ImageWidth), directory.one(Tag.ImageLength)
    limits.check(width, height)
    if directory.follows:
        raise MultipleFramesError("The TIFF holds more than one page; one is allowed.")
    photometric = directory.one(Tag.PhotometricInterpretation)
    bits, samples = _check_kind(directory, photometric)
    limits.check(width, height, samples)
    compression = directory.one(Tag.Compression, UNCOMPRESSED)
    described = {
        Tag.ImageWidth: (width,),
        Tag.ImageLength: (height,),
        Tag.BitsPerSample: (bits,) * samples,
        Tag.Compression: (compression,),
        # Pillow inverts WhiteIsZero at 8 bits and not at 16, so the reader does it.
        Tag.PhotometricInterpretation: (photometric or BLACK_IS_ZERO,),
        Tag.SamplesPerPixel: (samples,),
        Tag.PlanarConfiguration: (directory.one(Tag.PlanarConfiguration, 1),),
        Tag.ExtraSamples: _extra(directory, photometric, samples),
        Tag.Predictor: directory.many(Tag.Predictor) if compression in PREDICTING else (),
        Tag.ColorMap: directory.many(Tag.ColorMap) if photometric == PALETTE else (),
        **_extent(data, directory, bits, samples, limits),
    }
    tables = directory.octets(Tag.JPEGTables) if compression == JPEG else b""
    return Header(
        width=width,
        height=height,
        sanitised=_written(data, described, tables),
        orientation=_orientation(directory),
        palette=_palette(directory, bits) if photometric == PALETTE else None,
        white_is_zero=photometric == WHITE_IS_ZERO,
        lossy=compression == JPEG,
    )


def _check_kind(directory: Directory, photometric: int) -> tuple[int, int]:
    """Return bits and number of samples, both of a kind that Pillow decodes without loss."""
    compression = directory.one(Tag.Compression, UNCOMPRESSED)
    if compression not in COMPRESSIONS:
        name = COMPRESSION_NAMES.get(compression, f"method {compression}")
        raise UnsupportedFormatError(
            f"The TIFF is compressed by {name}; none, LZW, Deflate, PackBits and JPEG are read."
        )
    order, predictor = directory.one(Tag.FillOrder, 1), 1
    if order != 1:
        raise UnsupportedFormatError(f"The TIFF's FillOrder is {order}; 1 is read.")
    if compression in PREDICTING:
        predictor = directory.one(Tag.Predictor, 1)
    if predictor not in (1, 2):
        raise UnsupportedFormatError(f"The TIFF's Predictor is {predictor}; 1 and 2 are read.")
    if photometric not in DEPTHS:
        name = PHOTOMETRIC_NAMES.get(photometric, "of another colour space")
        raise UnsupportedColourError(f"The TIFF is {name}; grey, RGB and palettes are read.")
    samples = directory.one(Tag.SamplesPerPixel, 1)
    bits = _bits(directory, samples, DEPTHS[photometric])
    if set(directory.many(Tag.SampleFormat)[:samples]) - {UNSIGNED, UNTYPED}:
        raise UnsupportedColourError(
            "The TIFF holds signed or floating-point samples; unsigned whole numbers are read."
        )
    extra = _extra(directory, photometric, samples)
    if not _samples_fit(photometric, bits, samples, extra):
        raise UnsupportedColourError(
            f"The TIFF has {samples} samples a pixel, {len(extra)} of them extra; "
            "grey or RGB, with at most one alpha channel, is read."
        )
    return bits, samples


def _extra(directory: Directory, photometric: int, samples: int) -> tuple[int, ...]:
    """Return what the samples beside colour are; those that there are not say nothing."""
    colours = 3 if photometric == RGB else 1
    return directory.many(Tag.ExtraSamples)[: max(samples - colours, 0)]


def _bits(directory: Directory, samples: int, allowed: tuple[int, ...]) -> int:
    """Return the bits of each sample; those of samples that there are not say nothing."""
    depths = directory.many(Tag.BitsPerSample)
    if not depths:
        _check_single_bits(directory)
        depths = (1,)
    if 1 < len(depths) < samples:
        raise UnsupportedColourError(
            f"The TIFF has {samples} samples a pixel and tells the bits of {len(depths)}."
        )
    bits, *others = dict.fromkeys(depths[: max(samples, 1)])
    if others:
        raise UnsupportedColourError(
            f"The TIFF has samples of {bits} and of {others[0]} bits; equal ones are read."
        )
    if bits not in allowed:
        raise UnsupportedColourError(
            f"The TIFF has {bits} bits a sample; "
            f"{', '.join(map(str, allowed))} are read for its kind of colour."
        )
    return bits


def _check_single_bits(directory: Directory) -> None:
    """Check that pixels whose bits nobody tells, which means one, are no bytes."""
    area = directory.one(Tag.ImageWidth) * directory.one(Tag.ImageLength)
    lengths: tuple[int, ...] = ()
    with contextlib.suppress(CorruptFileError):
        lengths = directory.many(Tag.StripByteCounts)
    if directory.one(Tag.Compression, UNCOMPRESSED) == UNCOMPRESSED and sum(lengths) >= area:
        raise UnsupportedColourError(
            "The TIFF does not tell the bits of a sample, which means 1; its strips hold 8 or more."
        )


def _samples_fit(photometric: int, bits: int, samples: int, extra: tuple[int, ...]) -> bool:
    if set(extra) - {UNUSED_SAMPLE, PREMULTIPLIED_ALPHA, ALPHA}:
        return False
    if photometric == RGB:
        # Four samples without a word on the fourth are taken for alpha, the careful reading.
        return (samples, extra) == (3, ()) or (samples == 4 and len(extra) <= 1)
    has_alpha = samples == 2 and len(extra) == 1 and photometric != PALETTE and bits == 8
    return (samples, extra) == (1, ()) or has_alpha


def _extent(
    data: bytes, directory: Directory, bits: int, samples: int, limits: Limits
) -> dict[Tag, tuple[int, ...]]:
    """Return where strips or tiles lie, checked: in the file, and no more than the image."""
    width, height = directory.one(Tag.ImageWidth), directory.one(Tag.ImageLength)
    planes = samples if directory.one(Tag.PlanarConfiguration, 1) == 2 else 1
    offsets = directory.many(Tag.StripOffsets)
    if offsets and directory.many(Tag.TileOffsets):
        raise CorruptFileError("The TIFF has both strips and tiles; one of them is allowed.")
    if offsets:
        places, counts = Tag.StripOffsets, Tag.StripByteCounts
        wide, rows = width, min(directory.one(Tag.RowsPerStrip, height), height)
        if not rows and len(offsets) == planes:
            rows = height
        last = height % rows or rows if rows else 0
        sizes = {Tag.RowsPerStrip: (rows,)}
    else:
        places, counts = Tag.TileOffsets, Tag.TileByteCounts
        offsets = directory.many(places)
        wide, rows = directory.one(Tag.TileWidth), directory.one(Tag.TileLength)
        last = rows
        sizes = {Tag.TileWidth: (wide,), Tag.TileLength: (rows,)}
    if not wide or not rows:
        raise CorruptFileError("The TIFF's strips or tiles are empty.")
    across, down = -(-width // wide), -(-height // rows)
    if across * wide * down * rows * samples > 2 * limits.max_samples:
        raise CorruptFileError("The TIFF's tiles are far larger than its image.")
    if len(offsets) != across * down * planes:
        raise CorruptFileError(
            f"The TIFF has {len(offsets)} strips or tiles; its size needs {across * down * planes}."
        )
    needed = None
    if directory.one(Tag.Compression, UNCOMPRESSED) == UNCOMPRESSED:
        line = -(-wide * bits * (samples // planes) // 8)
        feet = (index // across % down == down - 1 for index in range(len(offsets)))
        needed = tuple(line * (last if at_foot else rows) for at_foot in feet)
    lengths = _lengths(data, directory, counts, offsets, needed)
    if any(offset + length > len(data) for offset, length in zip(offsets, lengths, strict=True)):
        raise CorruptFileError("The TIFF is truncated: its pixels lie outside the file.")
    return {places: offsets, counts: lengths, **sizes}


def _lengths(
    data: bytes,
    directory: Directory,
    counts: Tag,
    offsets: tuple[int, ...],
    needed: tuple[int, ...] | None,
) -> tuple[int, ...]:
    """Return how many bytes of each strip or tile are read: all, or as many as are ``needed``
    where nothing is compressed.

    Some writers leave numbers out, or zero; up to where the next one begins all is a strip's own.
    """
    written: tuple[int, ...] = ()
    with contextlib.suppress(CorruptFileError):
        written = directory.many(counts)[: len(offsets)]
    if len(written) < len(offsets) or not any(written):
        ends = dict(itertools.pairwise((*sorted({*offsets}), max(len(data), *offsets))))
        written = tuple(ends[offset] - offset for offset in offsets)
    # Each is read whole: a hundred thousand that share one megabyte are a hundred gigabytes.
    if sum(map(min, written, itertools.repeat(len(data)))) > len(data):
        raise CorruptFileError("The TIFF's strips or tiles overlap.")
    if needed is None:
        return written
    if any(length < least for length, least in zip(written, needed, strict=True)):
        raise CorruptFileError("The TIFF holds fewer pixels than its size needs.")
    return needed


def _written(data: bytes, described: Mapping[Tag, tuple[int, ...]], tables: bytes) -> bytes:
    """Return ``data`` as TIFF 6.0 with a directory of its own, of nothing but what was checked.

    Strips stay where they are. Orientation is left out: decoders disagree on it.
    """
    order = "<" if data[:2] == b"II" else ">"
    values: dict[Tag, tuple[int, int, bytes]] = {}
    for tag, numbers in described.items():
        is_long = tag in _PLACES or max(numbers, default=0) > 0xFFFF
        kind = LONG if is_long else SHORT
        packed = struct.pack(f"{order}{len(numbers)}{NUMBERS[kind]}", *numbers)
        if numbers:
            values[tag] = kind, len(numbers), packed
    if tables:
        values[Tag.JPEGTables] = UNDEFINED, len(tables), tables
    start = len(data) + len(data) % 2
    outside = start + 2 + 12 * len(values) + 4
    table, arrays = [], []
    for tag, (kind, count, packed) in sorted(values.items()):
        stored = packed
        if len(packed) > 4:
            stored = struct.pack(f"{order}I", outside)
            arrays.append(packed + b"\0" * (len(packed) % 2))
            outside += len(arrays[-1])
        table.append(struct.pack(f"{order}HHI", tag, kind, count) + stored.ljust(4, b"\0"))
    return b"".join(
        (
            b"II*\0" if order == "<" else b"MM\0*",
            struct.pack(f"{order}I", start),
            memoryview(data)[8:],
            b"\0" * (len(data) % 2),
            struct.pack(f"{order}H", len(values)),
            *table,
            bytes(4),
            *arrays,
        )
    )


_PLACES: Final = frozenset(
    (Tag.StripOffsets, Tag.StripByteCounts, Tag.TileOffsets, Tag.TileByteCounts)
)


def _orientation(directory: Directory) -> int:
    values = set(directory.many(Tag.Orientation))
    if len(values) > 1:
        raise CorruptFileError(
            f"The TIFF has {len(values)} values for {Tag.Orientation.name}; one is needed."
        )
    text = b""
    with contextlib.suppress(CorruptFileError):
        text = directory.octets(Tag.XMP)
    said = (value if 1 <= value <= 8 else None for value in values)
    return exif.settled(said, (exif.in_xmp(text),), "TIFF")


def _palette(directory: Directory, bits: int) -> NDArray[np.uint8]:
    values = directory.many(Tag.ColorMap)
    if len(values) != 3 * 2**bits or max(values) > 0xFFFF:
        raise CorruptFileError(
            f"The TIFF's palette has {len(values)} values; {3 * 2**bits} are needed."
        )
    return (np.array(values, np.uint16).reshape(3, -1).T >> 8).astype(np.uint8)
