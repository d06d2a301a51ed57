from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest

from models.image.errors import (
    InvalidTagError,
    MissingTagError,
    MultipleFramesError,
    TooFewPixelsError,
    TooManyPixelsError,
    UnsupportedColourError,
)
from models.reading import read
from tests.models.reading import files
from tests.models.reading.encodings import ENCODINGS, pattern, rgb, scaled
from tests.models.reading.refusals import refused

PICTURE = pattern()

NEEDED = (
    "Rows",
    "Columns",
    "PhotometricInterpretation",
    "BitsAllocated",
    "BitsStored",
    "PixelRepresentation",
)


@pytest.mark.parametrize("keyword", NEEDED)
def test_missing(keyword: str) -> None:
    with refused(MissingTagError, match=f"{keyword} .* is missing"):
        read(files.grey_dicom(PICTURE, **{keyword: None}))


def test_the_high_bit_may_be_missing() -> None:
    np.testing.assert_array_equal(read(files.grey_dicom(PICTURE, HighBit=None)).pixels, PICTURE)


@pytest.mark.parametrize("high_bit", [0, 6, 15])
def test_the_high_bit_of_values_that_fill_their_containers_says_nothing(high_bit: int) -> None:
    data = files.grey_dicom(PICTURE, HighBit=high_bit)
    np.testing.assert_array_equal(read(data).pixels, PICTURE)


@pytest.mark.parametrize("bits", [8, 12])
def test_the_high_bit_tells_the_bits_stored(bits: int) -> None:
    data = files.grey_dicom(scaled(PICTURE, bits), BitsStored=None, HighBit=bits - 1)
    np.testing.assert_array_equal(read(data).pixels, scaled(PICTURE, bits))


def test_colour_has_no_sign() -> None:
    for data in (
        files.colour_dicom(rgb(PICTURE).tobytes(), PICTURE.shape, PixelRepresentation=None),
        ENCODINGS["dicom-palette"](PICTURE).replace(b"\x28\0\3\1US\2\0\0\0", b""),
    ):
        np.testing.assert_array_equal(read(data).pixels, PICTURE)


def test_colour_needs_a_planar_configuration() -> None:
    with refused(MissingTagError, match="PlanarConfiguration"):
        read(files.colour_dicom(rgb(PICTURE).tobytes(), PICTURE.shape, PlanarConfiguration=None))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"BitsAllocated": 1}, "BitsAllocated .* is 1; 8 and 16 are allowed"),
        ({"BitsAllocated": 12}, "BitsAllocated .* is 12"),
        ({"BitsAllocated": 32}, "BitsAllocated .* is 32"),
        ({"BitsStored": 0, "HighBit": 7}, "BitsStored .* is 0; 2 to 8"),
        ({"BitsStored": 1}, "BitsStored .* is 1; 2 to 8"),
        ({"BitsStored": 9}, "BitsStored .* is 9; 2 to 8"),
        ({"BitsStored": 6, "HighBit": 7}, "HighBit .* is 7; 5 is allowed for 6 bits"),
        ({"BitsStored": 6, "HighBit": 15}, "HighBit .* is 15"),
        ({"PixelRepresentation": 2}, "PixelRepresentation .* is 2; 0 and 1"),
        ({"SamplesPerPixel": 3}, "SamplesPerPixel .* is 3; MONOCHROME2 needs 1"),
        ({"SamplesPerPixel": 0}, "SamplesPerPixel .* is 0"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_values_that_cannot_be(wrong: dict[str, Any], said: str) -> None:
    with refused(InvalidTagError, match=said):
        read(files.grey_dicom(PICTURE, **wrong))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"SamplesPerPixel": 1}, "SamplesPerPixel .* is 1; RGB needs 3"),
        ({"SamplesPerPixel": 4}, "SamplesPerPixel .* is 4; RGB needs 3"),
        ({"PlanarConfiguration": 2}, "PlanarConfiguration .* is 2"),
        ({"BitsAllocated": 16, "BitsStored": 16}, "BitsAllocated .* is 16; 8 is allowed"),
        ({"BitsStored": 7}, "BitsStored .* is 7; 8 to 8"),
        ({"PixelRepresentation": 1}, "signed"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_values_that_cannot_be_in_colour(wrong: dict[str, Any], said: str) -> None:
    with refused(InvalidTagError, match=said):
        read(files.colour_dicom(rgb(PICTURE).tobytes(), PICTURE.shape, **wrong))


@pytest.mark.parametrize("name", ["CMYK", "HSV", "YBR_PART_420", "XYB", "DOE^JANE"])
def test_colour_that_is_not_read(name: str) -> None:
    with refused(UnsupportedColourError, match="MONOCHROME1, MONOCHROME2, PALETTE COLOR, RGB"):
        read(files.grey_dicom(PICTURE).replace(b"MONOCHROME2 ", f"{name:<12}".encode(), 1))


def test_several_frames() -> None:
    with refused(MultipleFramesError, match="2 frames"):
        read(files.grey_dicom(np.vstack([PICTURE, PICTURE]), Rows=53, NumberOfFrames="2"))


@pytest.mark.parametrize("written", ["1 ", "0 ", "  ", "-1", "? ", "1.0 ", "1\\2 "])
def test_one_frame_may_say_so_or_anything_but_more(written: str) -> None:
    data = files.grey_dicom(PICTURE, NumberOfFrames="1" * len(written))
    head = b"\x28\0\x08\0IS" + struct.pack("<H", len(written))
    assert data.count(head) == 1
    data = data.replace(head + b"1" * len(written), head + written.encode())
    np.testing.assert_array_equal(read(data).pixels, PICTURE)


def test_the_kind_of_colour_tells_the_samples() -> None:
    data = files.grey_dicom(PICTURE, SamplesPerPixel=None)
    np.testing.assert_array_equal(read(data).pixels, PICTURE)
    colours = files.colour_dicom(rgb(PICTURE).tobytes(), PICTURE.shape, SamplesPerPixel=None)
    np.testing.assert_array_equal(read(colours).pixels, PICTURE)


@pytest.mark.parametrize("written", ["monochrome1", "MonoChrome 1", "MONOCHROME1\0"])
def test_codes_as_writers_write_them(written: str) -> None:
    data = files.grey_dicom(PICTURE).replace(b"MONOCHROME2 ", f"{written:<12}".encode(), 1)
    np.testing.assert_array_equal(read(data).pixels, 255 - PICTURE)


@pytest.mark.parametrize(
    ("rows", "columns", "error"),
    [
        (0, 0, TooFewPixelsError),
        (1, 1, TooFewPixelsError),
        (65535, 65535, TooManyPixelsError),
    ],
)
def test_the_size_is_checked_before_the_pixels(
    rows: int, columns: int, error: type[TooFewPixelsError | TooManyPixelsError]
) -> None:
    with refused(error, match=f"{columns}×{rows}"):
        read(files.grey_dicom(PICTURE, Rows=rows, Columns=columns))


@pytest.mark.parametrize("bits", range(9, 17))
def test_any_depth_from_9_to_16(bits: int) -> None:
    scan = read(files.grey_dicom(scaled(PICTURE, bits), BitsStored=bits))
    assert scan.bits == bits
    np.testing.assert_array_equal(scan.pixels, scaled(PICTURE, bits))


@pytest.mark.parametrize("bits", range(2, 8))
def test_fewer_than_8_bits_are_shown_as_8(bits: int) -> None:
    scan = read(files.grey_dicom(PICTURE >> (8 - bits), BitsStored=bits))
    assert scan.bits == 8
    expected = np.rint((PICTURE >> (8 - bits)) * (255 / (2**bits - 1)))
    np.testing.assert_array_equal(scan.pixels, expected)
