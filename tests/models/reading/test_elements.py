"""The walk over elements, held against pydicom on every file that pydicom brings along."""

from __future__ import annotations

import struct
import time
import warnings
from pathlib import Path

import pydicom.data
import pytest
from pydicom.dataset import Dataset as PydicomDataset

from models.errors import CorruptFileError
from models.reading import elements
from models.reading.elements import EXPLICIT_LITTLE, IMPLICIT_LITTLE, MAX_DEPTH, Coding, walk
from tests.models.reading.refusals import refused

SEQUENCE_WITHOUT_LENGTH = struct.pack("<HH2sHI", 0x0009, 0x1001, b"SQ", 0, 0xFFFFFFFF)
ITEM = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
ITEM_END = struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
SEQUENCE_END = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
ROWS = struct.pack("<HH2sHH", 0x0028, 0x0010, b"US", 2, 512)
IMPLICIT_ROWS = struct.pack("<HHIH", 0x0028, 0x0010, 2, 512)


def tags(data: bytes, coding: Coding = EXPLICIT_LITTLE) -> list[int]:
    return [element.tag for element in walk(data, 0, coding)]


# pydicom gives what is left of a truncated file, and reads some that begin in no known way; the
# deflated one is inflated first, which is the data set's business.
NOT_COMPARED = (
    "MR_truncated",
    "rtplan_truncated",
    "no_meta",
    "ExplVR_BigEndNoMeta",
    "image_dfl",
)
BROUGHT_ALONG = Path(pydicom.data.__file__).parent / "test_files"
COMPARED = sorted(path for path in BROUGHT_ALONG.glob("*.dcm") if path.stem not in NOT_COMPARED)


def by_pydicom(path: Path) -> PydicomDataset:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of what these files are made to show
        return pydicom.dcmread(path, force=True)


@pytest.mark.parametrize("path", COMPARED, ids=lambda path: path.stem)
def test_elements_are_those_that_pydicom_finds(path: Path) -> None:
    expected = by_pydicom(path)
    data = path.read_bytes()
    coding = Coding(not expected.original_encoding[0], bool(expected.original_encoding[1]))
    start = 132 if data[128:132] == b"DICM" else 0
    for element in walk(data, start, EXPLICIT_LITTLE, group=0x0002):
        start = element.following
    found = {element.tag: element for element in walk(data, start, coding)}
    # Group 0 is of the network, not of files; padding behind the end may look like it.
    wanted = [element.tag for element in expected.elements() if element.tag.group]
    assert [tag for tag in found if tag >> 16] == wanted
    for tag, element in found.items():
        raw = expected.get_item(tag)
        if isinstance(raw, pydicom.dataelem.RawDataElement) and not element.undefined:
            assert data[element.start : element.stop] == (raw.value or b""), f"{tag:08X}"


def test_a_sequence_without_length_is_stepped_over() -> None:
    nested = SEQUENCE_WITHOUT_LENGTH + ITEM + ROWS + ITEM_END + SEQUENCE_END
    data = SEQUENCE_WITHOUT_LENGTH + ITEM + ROWS + nested + ITEM_END + ITEM + ITEM_END
    assert tags(data + SEQUENCE_END + ROWS) == [0x00091001, 0x00280010]


def test_a_sequence_of_unknown_vr_is_implicit_inside() -> None:
    unknown = SEQUENCE_WITHOUT_LENGTH.replace(b"SQ", b"UN")
    data = unknown + ITEM + IMPLICIT_ROWS + ITEM_END + SEQUENCE_END + ROWS
    assert tags(data) == [0x00091001, 0x00280010]


def test_implicit_elements_amid_explicit_ones() -> None:
    assert tags(IMPLICIT_ROWS + ROWS) == [0x00280010, 0x00280010]
    assert tags(IMPLICIT_ROWS, IMPLICIT_LITTLE) == [0x00280010]


def test_an_unknown_vr_has_a_short_length() -> None:
    assert tags(ROWS.replace(b"US", b"ZZ") + ROWS) == [0x00280010, 0x00280010]


def deep(depth: int) -> bytes:
    return (SEQUENCE_WITHOUT_LENGTH + ITEM) * depth + (ITEM_END + SEQUENCE_END) * depth


BROKEN = {
    "ends within a tag": ROWS[:3],
    "ends within a head": ROWS[:7],
    "ends within a long head": SEQUENCE_WITHOUT_LENGTH[:9],
    "ends within a value": ROWS[:9],
    "a length beyond the end": struct.pack("<HH2sHI", 8, 5, b"UT", 0, 0x7FFFFFFF),
    "a sequence without end": SEQUENCE_WITHOUT_LENGTH + ITEM + ROWS,
    "an item without end": SEQUENCE_WITHOUT_LENGTH + ITEM + ROWS + SEQUENCE_END,
    "no item in a sequence": SEQUENCE_WITHOUT_LENGTH + ROWS + SEQUENCE_END,
    "a delimiter by itself": SEQUENCE_END + ROWS,
    "deeper than allowed": deep(MAX_DEPTH),
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_broken(data: bytes) -> None:
    with refused(CorruptFileError):
        tags(data)


def test_as_deep_as_is_allowed() -> None:
    assert tags(deep(MAX_DEPTH // 2 - 1)) == [0x00091001]


TIRESOME = {
    "elements": ROWS * 1_000_000,
    "empty items": SEQUENCE_WITHOUT_LENGTH
    + ITEM[:4]
    + bytes(4)
    + (ITEM[:4] + bytes(4)) * 1_000_000,
    "short sequences": (SEQUENCE_WITHOUT_LENGTH + SEQUENCE_END) * 500_000,
}


@pytest.mark.parametrize("data", TIRESOME.values(), ids=TIRESOME)
def test_ten_megabytes_of_nothing_are_soon_refused(data: bytes) -> None:
    started = time.process_time()
    with refused(CorruptFileError, match="more than"):
        tags(data)
    assert time.process_time() - started < 3.0


def test_items_of_a_value() -> None:
    first = struct.pack("<HHI", 0xFFFE, 0xE000, 4) + b"abcd"
    second = struct.pack("<HHI", 0xFFFE, 0xE000, 0)
    found = [item for item, _ in elements.items(first + second, b"SQ", EXPLICIT_LITTLE)]
    assert found == [b"abcd", b""]
    with refused(CorruptFileError, match="not made of items"):
        list(elements.items(first[:-1], b"SQ", EXPLICIT_LITTLE))
