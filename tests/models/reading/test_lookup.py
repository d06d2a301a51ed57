from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian

from models.image.errors import CorruptFileError, InvalidTagError, MissingTagError
from models.reading import read
from tests.models.reading import files
from tests.models.reading.encodings import pattern
from tests.models.reading.refusals import refused

PICTURE = pattern()
INVERTING = (255 - np.arange(256)).astype("<u2")


def table(entries: np.ndarray | bytes, descriptor: list[int], vr: str = "US") -> Dataset:
    """Return a sequence item; LUT Data is OW, the descriptor's VR that of its second value."""
    item = Dataset()
    item.add_new("LUTDescriptor", vr, descriptor)
    item.add_new("LUTData", "OW", entries if isinstance(entries, bytes) else entries.tobytes())
    return item


def shown(pixels: np.ndarray, item: Dataset, **elements: Any) -> np.ndarray:
    return read(files.grey_dicom(pixels, VOILUTSequence=[item], **elements)).pixels


def test_entries_in_words() -> None:
    np.testing.assert_array_equal(shown(PICTURE, table(INVERTING, [256, 0, 8])), 255 - PICTURE)


def test_entries_of_8_bits_two_to_a_word() -> None:
    item = table(INVERTING.astype(np.uint8), [256, 0, 8])
    np.testing.assert_array_equal(shown(PICTURE, item), 255 - PICTURE)


def test_an_odd_number_of_them_is_padded() -> None:
    item = table(INVERTING[:255].astype(np.uint8).tobytes() + b"\0", [255, 0, 8])
    np.testing.assert_array_equal(shown(PICTURE, item), np.maximum(255 - PICTURE, 1))


@pytest.mark.parametrize("bits", [10, 12, 16])
def test_its_bits_are_the_displays(bits: int) -> None:
    entries = (INVERTING.astype(int) * (2**bits - 1) // 255).astype("<u2")
    scan = read(files.grey_dicom(PICTURE, VOILUTSequence=[table(entries, [256, 0, bits])]))
    assert scan.bits == bits
    np.testing.assert_array_equal(scan.pixels, entries[PICTURE])


def test_beyond_the_ends_their_entries_hold() -> None:
    entries = np.array([10, 20, 30], "<u2")
    pixels = np.tile(np.array([0, 99, 100, 101, 102, 103, 255], np.uint8), (40, 8))
    expected = [10, 10, 10, 20, 30, 30, 30]
    assert shown(pixels, table(entries, [3, 100, 8]))[0, :7].tolist() == expected


def test_a_first_value_below_zero() -> None:
    pixels = np.tile(np.array([-101, -100, -99, 0], np.int16), (40, 10))
    item = table(np.array([10, 20, 30], "<u2"), [3, -100, 8], "SS")
    assert shown(pixels, item)[0, :4].tolist() == [10, 10, 20, 30]


def test_without_vr_the_pixels_tell_the_sign() -> None:
    pixels = np.tile(np.array([-101, -100, -99, 0], np.int16), (40, 10))
    item = table(np.array([10, 20, 30], "<u2"), [3, -100, 8], "SS")
    found = shown(pixels, item, syntax=ImplicitVRLittleEndian)
    assert found[0, :4].tolist() == [10, 10, 20, 30]
    high = np.tile(np.array([40000, 40001, 65535], np.uint16), (40, 12))
    item = table(np.array([10, 20, 30], "<u2"), [3, 40000, 8])
    found = shown(high, item, syntax=ImplicitVRLittleEndian)
    assert found[0, :3].tolist() == [10, 20, 30]


def test_zero_entries_are_65536() -> None:
    pixels = np.tile(np.array([0, 1000, 65535], np.uint16), (40, 12))
    item = table(np.arange(65536)[::-1].astype("<u2"), [0, 0, 16])
    np.testing.assert_array_equal(shown(pixels, item), 65535 - pixels)


def test_big_endian() -> None:
    item = table(INVERTING.byteswap(), [256, 0, 8])
    found = shown(PICTURE, item, syntax=ExplicitVRBigEndian)
    np.testing.assert_array_equal(found, 255 - PICTURE)
    packed = INVERTING.astype(np.uint8).view("<u2").byteswap()
    found = shown(PICTURE, table(packed, [256, 0, 8]), syntax=ExplicitVRBigEndian)
    np.testing.assert_array_equal(found, 255 - PICTURE)


@pytest.mark.parametrize("scale", [1, 256, 257])
def test_a_descriptor_in_the_other_byte_order(scale: int) -> None:
    """Its entries may be in it too: those of one byte are certain, or of the same one twice."""
    item = table((INVERTING.astype(int) * scale).astype("<u2"), [1, 0, 8 << 8])
    np.testing.assert_array_equal(shown(PICTURE, item), 255 - PICTURE)


def test_entries_beyond_their_bits_are_white() -> None:
    item = table(np.array([0, 300, 65535], "<u2"), [3, 0, 8])
    pixels = np.tile(np.array([0, 1, 2], np.uint8), (40, 12))
    assert shown(pixels, item)[0, :3].tolist() == [0, 255, 255]


@pytest.mark.parametrize(
    ("item", "said"),
    [
        (table(INVERTING, [256, 0]), "2 values; 3 are needed"),
        (table(INVERTING, [256, 0, 7]), "7 bits; 8 to 16"),
        (table(INVERTING * 255, [1, 0, 4096]), "4096 bits; 8 to 16"),
        (table(INVERTING, [256, 0, 17]), "17 bits; 8 to 16"),
        (table(INVERTING, [200, 0, 8]), "512 bytes long; 400 are needed for 200 entries"),
        (table(INVERTING, [0, 0, 8]), "131072 are needed for 65536 entries"),
        (table(INVERTING[:100], [256, 0, 8]), "200 bytes long; 512 are needed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_descriptor_and_data_that_do_not_fit(item: Dataset, said: str) -> None:
    with refused(InvalidTagError, match=said):
        shown(PICTURE, item)


def test_missing_parts() -> None:
    for keyword in ("LUTDescriptor", "LUTData"):
        item = table(INVERTING, [256, 0, 8])
        del item[keyword]
        with refused(MissingTagError, match=f"{keyword} .* is missing"):
            shown(PICTURE, item)


def test_a_sequence_that_is_none() -> None:
    data = files.grey_dicom(PICTURE, VOILUTSequence=[table(INVERTING, [256, 0, 8])])
    start = data.index(b"\x28\x00\x10\x30SQ")
    with refused(CorruptFileError):
        read(data[: start + 12] + b"\xff" + data[start + 13 :])


def test_an_empty_sequence_is_as_good_as_none() -> None:
    np.testing.assert_array_equal(
        read(files.grey_dicom(PICTURE, VOILUTSequence=[])).pixels, PICTURE
    )


@pytest.mark.parametrize("padding", [bytes(2), bytes(8), b"\xff" * 512])
def test_padding_behind_the_entries(padding: bytes) -> None:
    item = table(INVERTING.tobytes() + padding, [256, 0, 8])
    np.testing.assert_array_equal(shown(PICTURE, item), 255 - PICTURE)


def test_more_entries_than_are_described() -> None:
    item = table(np.arange(300).astype("<u2"), [256, 0, 8])
    with refused(InvalidTagError, match="600 bytes long; 512 are needed for 256 entries"):
        shown(PICTURE, item)
