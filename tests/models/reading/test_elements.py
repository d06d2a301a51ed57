"""What pydicom is fed with, and kept from."""

from __future__ import annotations

import struct
import time
import warnings

import pytest

from models.image.errors import CorruptFileError
from models.reading.elements import Element, Source, first_item, walk
from models.reading.tags import Tag
from tests.models.reading.files import PATIENT
from tests.models.reading.refusals import refused

SEQUENCE_WITHOUT_LENGTH = struct.pack("<HH2sHI", 0x0009, 0x1001, b"SQ", 0, 0xFFFFFFFF)
ITEM = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
ITEM_END = struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
SEQUENCE_END = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
ROWS = struct.pack("<HH2sHH", 0x0028, 0x0010, b"US", 2, 512)
IMPLICIT_ROWS = struct.pack("<HHIH", 0x0028, 0x0010, 2, 512)


ROWS_TAG, PRIVATE_TAG = 0x00280010, 0x00091001


def tags(data: bytes, *, explicit: bool = True) -> list[int]:
    found = walk(Source(data), explicit=explicit, little=True, last=Tag.PixelData)
    return [element.tag for element in found]


def test_a_sequence_without_length_is_stepped_over() -> None:
    nested = SEQUENCE_WITHOUT_LENGTH + ITEM + ROWS + ITEM_END + SEQUENCE_END
    data = SEQUENCE_WITHOUT_LENGTH + ITEM + ROWS + nested + ITEM_END + ITEM + ITEM_END
    assert tags(data + SEQUENCE_END + ROWS) == [PRIVATE_TAG, ROWS_TAG]


def test_a_sequence_of_unknown_vr_is_implicit_inside() -> None:
    unknown = SEQUENCE_WITHOUT_LENGTH.replace(b"SQ", b"UN")
    data = unknown + ITEM + IMPLICIT_ROWS + ITEM_END + SEQUENCE_END + ROWS
    assert tags(data) == [PRIVATE_TAG, ROWS_TAG]


def test_implicit_elements_amid_explicit_ones() -> None:
    assert tags(IMPLICIT_ROWS + ROWS) == [ROWS_TAG, ROWS_TAG]
    assert tags(IMPLICIT_ROWS, explicit=False) == [ROWS_TAG]


def test_an_unknown_vr_has_a_short_length() -> None:
    assert tags(ROWS.replace(b"US", b"ZZ") + ROWS) == [ROWS_TAG, ROWS_TAG]


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
    "deeper than can be": deep(10_000),
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_broken(data: bytes) -> None:
    with refused(CorruptFileError):
        tags(data)


def test_as_deep_as_anybody_goes() -> None:
    assert tags(deep(16)) == [PRIVATE_TAG]


def test_only_what_is_wanted_and_nothing_behind_it() -> None:
    private = struct.pack("<HH2sHH", 0x0009, 0x1000, b"US", 2, 0)
    source = Source(private + ROWS + b"junk")
    found = walk(source, explicit=True, little=True, last=ROWS_TAG, wanted=[ROWS_TAG])
    assert [element.tag for element in found] == [ROWS_TAG]
    assert source.read() == b"junk"


CHARACTER_SET = struct.pack("<HH2sH", 0x0008, 0x0005, b"CS", 8) + PATIENT.encode()
NO_ITEM = ITEM[:4] + bytes(4)

TIRESOME = {
    "elements": ROWS * 1_000_000,
    "empty items": SEQUENCE_WITHOUT_LENGTH + NO_ITEM * 1_000_000,
    "empty items without length": SEQUENCE_WITHOUT_LENGTH + (ITEM + ITEM_END) * 500_000,
    "items with text": SEQUENCE_WITHOUT_LENGTH + (ITEM + CHARACTER_SET + ITEM_END) * 300_000,
    "elements in an item": SEQUENCE_WITHOUT_LENGTH + ITEM + ROWS * 1_000_000,
    "short sequences": (SEQUENCE_WITHOUT_LENGTH + SEQUENCE_END) * 500_000,
    "short sequences in an item": SEQUENCE_WITHOUT_LENGTH
    + ITEM
    + (SEQUENCE_WITHOUT_LENGTH + SEQUENCE_END) * 500_000,
    "fragments": SEQUENCE_WITHOUT_LENGTH.replace(b"SQ", b"OB") + NO_ITEM * 1_000_000,
}


@pytest.mark.parametrize("data", TIRESOME.values(), ids=TIRESOME)
def test_ten_megabytes_of_nothing_are_soon_refused(data: bytes) -> None:
    started = time.process_time()
    with refused(CorruptFileError):
        tags(data)
    assert time.process_time() - started < 3.0


class TestFirstItem:
    FIRST, SECOND = NO_ITEM[:4] + struct.pack("<I", len(ROWS)) + ROWS, NO_ITEM

    def sequence(self, value: bytes) -> Element:
        head = struct.pack("<HH2sHI", 0x0028, 0x3010, b"SQ", 0, len(value))
        (element,) = walk(Source(head + value), explicit=True, little=True, last=Tag.PixelData)
        return element

    def test_of_several(self) -> None:
        item = first_item(self.sequence(self.FIRST + self.SECOND))
        assert item is not None
        assert list(item.keys()) == [ROWS_TAG]

    def test_of_none(self) -> None:
        assert first_item(self.sequence(b"")) is None

    @pytest.mark.parametrize(
        "value", [FIRST[1:], FIRST[:-1], ROWS, b"\xfe\xff", ITEM + ROWS * 100_000], ids=len
    )
    def test_broken(self, value: bytes) -> None:
        with refused(CorruptFileError):
            first_item(self.sequence(value))

    def test_the_others_are_not_waited_for(self) -> None:
        started = time.process_time()
        assert first_item(self.sequence(self.FIRST + self.SECOND * 1_000_000)) is not None
        assert time.process_time() - started < 1.0


@pytest.mark.parametrize("nested", [False, True], ids=["", "nested"])
def test_nothing_is_said_of_a_character_set_that_nobody_knows(
    nested: bool, caplog: pytest.LogCaptureFixture
) -> None:
    data = CHARACTER_SET
    if nested:
        data = SEQUENCE_WITHOUT_LENGTH + ITEM + data + ITEM_END + SEQUENCE_END
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        assert tags(data + ROWS)[-1] == ROWS_TAG
    assert not said
    assert not caplog.records
