"""The walk over elements: what it passes, what it mends, and what it may cost."""

from __future__ import annotations

import contextlib
import struct
import time

import pytest

from models.image.errors import CorruptFileError
from models.reading.elements import MAX_DEPTH, Element, Source
from tests.models.reading.refusals import refused


def tag(group: int, number: int) -> bytes:
    return struct.pack("<HH", group, number)


def item(body: bytes = b"", length: int | None = None) -> bytes:
    return tag(0xFFFE, 0xE000) + struct.pack("<I", len(body) if length is None else length) + body


def sequence(
    body: bytes, length: int | None = None, number: int = 0x1001, vr: bytes = b"SQ"
) -> bytes:
    size = len(body) if length is None else length
    return tag(0x0009, number) + vr + b"\0\0" + struct.pack("<I", size) + body


OPEN = 0xFFFFFFFF
ITEM_END = tag(0xFFFE, 0xE00D) + bytes(4)
SEQUENCE_END = tag(0xFFFE, 0xE0DD) + bytes(4)
MODALITY = tag(0x0008, 0x0060) + b"CS\2\0DX"
ROWS = tag(0x0028, 0x0010) + b"US\2\0" + struct.pack("<H", 512)
COLUMNS = tag(0x0028, 0x0011) + b"US\2\0" + struct.pack("<H", 512)
IMPLICIT_ROWS = tag(0x0028, 0x0010) + struct.pack("<IH", 2, 512)
FRAGMENTS = item() + item(b"\xff\xd8\xff\xd9")
ICON = tag(0x7FE0, 0x0010) + b"OB\0\0" + struct.pack("<I", OPEN) + FRAGMENTS + SEQUENCE_END

MODALITY_TAG, ROWS_TAG, COLUMNS_TAG, PRIVATE = 0x00080060, 0x00280010, 0x00280011, 0x00091001


def walked(data: bytes, *, explicit: bool = True, little: bool = True) -> list[Element]:
    return list(Source(data, little=little).elements(0, explicit=explicit))


def tags(data: bytes, *, explicit: bool = True) -> list[int]:
    return [element.tag for element in walked(data, explicit=explicit)]


OPEN_SEQUENCE = sequence(item(ROWS + ITEM_END, OPEN) + SEQUENCE_END, OPEN)

PASSED = {
    "nothing": b"",
    "with lengths": sequence(item(ROWS) + item(COLUMNS)),
    "without lengths": sequence(item(ROWS + OPEN_SEQUENCE + ITEM_END, OPEN) + SEQUENCE_END, OPEN),
    "of unknown VR, implicit inside": sequence(
        item(IMPLICIT_ROWS + ITEM_END, OPEN) + SEQUENCE_END, OPEN, vr=b"UN"
    ),
    "private fragments": sequence(FRAGMENTS + SEQUENCE_END, OPEN, vr=b"OB"),
    "octets up to a mark": sequence(b"octets" + SEQUENCE_END, OPEN, vr=b"OB"),
    "no items": sequence(SEQUENCE_END, OPEN),
    # What writers get wrong
    "no length but items": sequence(item(ROWS), 0),
    "no length but an empty item": sequence(item(), 0),
    "items without length in it": sequence(item(ROWS + ITEM_END, OPEN), 0),
    "a length that is too small": sequence(item(ROWS) + item(COLUMNS), len(item(ROWS)) - 2),
    "a length that is too large": sequence(item(ROWS), len(item(ROWS)) + 8),
    "its end mark beside its length": sequence(item(ROWS)) + SEQUENCE_END,
    "an item's end mark beside its length": sequence(item(ROWS) + ITEM_END, len(item(ROWS))),
    "an icon that is undercounted": sequence(item(ROWS + ICON, len(ROWS) + 20), 38),
    "no end mark of the sequence": sequence(item(ROWS + ITEM_END, OPEN), OPEN),
    "no end mark of an item": sequence(item(ROWS, OPEN) + item(ROWS) + SEQUENCE_END, OPEN),
    "a stray item": item(),
    "a stray item that holds something": item(COLUMNS) + SEQUENCE_END,
    "stray ends": SEQUENCE_END + ITEM_END,
}


@pytest.mark.parametrize("data", PASSED.values(), ids=PASSED)
def test_a_sequence_is_stepped_over(data: bytes) -> None:
    assert [t for t in tags(MODALITY + data + ROWS + COLUMNS) if t != PRIVATE] == [
        MODALITY_TAG,
        ROWS_TAG,
        COLUMNS_TAG,
    ]


@pytest.mark.parametrize("length", [0, 8, 18, 30])
def test_in_implicit_data_as_well(length: int) -> None:
    head = tag(0x0009, 0x1001) + struct.pack("<I", length)
    data = (
        head + item(IMPLICIT_ROWS) + IMPLICIT_ROWS + tag(0x0028, 0x0011) + struct.pack("<IH", 2, 9)
    )
    assert tags(data, explicit=False)[-2:] == [ROWS_TAG, COLUMNS_TAG]


def test_big_endian() -> None:
    swapped = struct.pack(">HH2sHH", 0x0028, 0x0010, b"US", 2, 512)
    within = struct.pack(">HHI", 0xFFFE, 0xE000, len(swapped)) + swapped
    head = struct.pack(">HH2sHI", 0x0009, 0x1001, b"SQ", 0, 0)
    found = walked(head + within + swapped, little=False)
    assert [element.tag for element in found] == [PRIVATE, ROWS_TAG]


HEADS = {
    "an implicit element amid explicit ones": IMPLICIT_ROWS,
    "an unknown VR has a short length": ROWS.replace(b"US", b"ZZ"),
    "or a long one": tag(0x0028, 0x0010) + b"ZZ\0\0" + struct.pack("<IH", 2, 512),
    "a long VR with a short length": tag(0x0028, 0x0010) + b"UN" + struct.pack("<HH", 2, 512),
    "an odd length whose padding is not counted": tag(0x0028, 0x0010) + b"LO\1\0A\0",
    "an odd length without padding": tag(0x0028, 0x0010) + b"LO\1\0A",
}


@pytest.mark.parametrize("data", HEADS.values(), ids=HEADS)
def test_heads(data: bytes) -> None:
    assert tags(MODALITY + data + COLUMNS) == [MODALITY_TAG, ROWS_TAG, COLUMNS_TAG]


def test_where_values_lie() -> None:
    (first, second) = walked(sequence(item(ROWS)) + ROWS)
    assert first == Element(PRIVATE, "SQ", 12, 12 + len(item(ROWS)))
    assert second == Element(ROWS_TAG, "US", first.stop + 8, first.stop + 10)


def test_pixel_data_are_the_last_and_may_be_cut_short() -> None:
    pixels = tag(0x7FE0, 0x0010) + b"OW\0\0" + struct.pack("<I", 100) + bytes(60)
    assert walked(ROWS + pixels)[-1] == Element(0x7FE00010, "OW", 22, 82)
    assert tags(ROWS + ICON + ROWS) == [ROWS_TAG, 0x7FE00010]


def test_a_group_by_itself() -> None:
    found = Source(MODALITY + ROWS + b"junk").elements(0, explicit=True, group=0x0008)
    assert [element.tag for element in found] == [MODALITY_TAG]


def deep(depth: int) -> bytes:
    return sequence(item(b"", OPEN), OPEN) * depth + (ITEM_END + SEQUENCE_END) * depth


BROKEN = {
    "ends within a tag": ROWS[:3],
    "ends within a head": ROWS[:7],
    "ends within a long head": OPEN_SEQUENCE[:9],
    "ends within a value": ROWS[:9],
    "a length beyond the end": tag(8, 5) + b"UT\0\0" + struct.pack("<I", 0x7FFFFFFF),
    "a sequence without end": sequence(item(ROWS, OPEN), OPEN),
    "no item in a sequence": sequence(ROWS + SEQUENCE_END, OPEN),
    "no mark behind octets": sequence(b"octets" + ROWS, OPEN, vr=b"OB"),
    "a stray item without end": item(ROWS, OPEN),
    "deeper than can be": deep(10_000),
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_broken(data: bytes) -> None:
    with refused(CorruptFileError):
        tags(data)


def test_as_deep_as_anybody_goes() -> None:
    assert tags(deep(16)) == [PRIVATE]
    with refused(CorruptFileError, match=f"more than {MAX_DEPTH}"):
        tags(deep(MAX_DEPTH + 1))


TIRESOME = {
    "elements": ROWS * 1_000_000,
    "stray items": item() * 1_000_000,
    "stray items without length": (item(b"", OPEN) + ITEM_END) * 500_000,
    "stray ends": SEQUENCE_END * 1_000_000,
    "empty items": sequence(item() * 1_000_000, OPEN),
    "empty items without length": sequence((item(b"", OPEN) + ITEM_END) * 500_000, OPEN),
    "elements in an item": sequence(item(ROWS * 1_000_000, OPEN), OPEN),
    "short sequences": sequence(SEQUENCE_END, OPEN) * 500_000,
    "short sequences in an item": sequence(
        item(sequence(SEQUENCE_END, OPEN) * 500_000, OPEN), OPEN
    ),
    "sequences that are miscounted": sequence(item(ROWS * 99), 9) * 50_000,
    "sequences that reach into each other": sequence(item(b"", OPEN), 8) * 400_000,
    "items that are miscounted": sequence(item(ROWS, 3) * 400_000, 9),
    "fragments": sequence(item() * 1_000_000, OPEN, vr=b"OB"),
    "octets up to far marks": (sequence(b"octets", OPEN, vr=b"OB") * 100 + bytes(99_000)) * 90
    + SEQUENCE_END,
}


@pytest.mark.parametrize("data", TIRESOME.values(), ids=TIRESOME)
def test_ten_megabytes_of_nothing_are_soon_passed_or_refused(data: bytes) -> None:
    started = time.process_time()
    with contextlib.suppress(CorruptFileError):
        tags(data)
    assert time.process_time() - started < 2.0


class TestFirstItem:
    def first(self, value: bytes, length: int | None = None) -> list[int] | None:
        source = Source(sequence(value, length))
        (element,) = source.elements(0, explicit=True)
        found = source.first_item(element, explicit=True)
        return None if found is None else list(found)

    def test_of_several(self) -> None:
        assert self.first(item(ROWS) + item(COLUMNS)) == [ROWS_TAG]
        open_items = item(ROWS + ITEM_END, OPEN) + item(COLUMNS) + SEQUENCE_END
        assert self.first(open_items, OPEN) == [ROWS_TAG]

    def test_of_none(self) -> None:
        assert self.first(b"") is None
        assert self.first(SEQUENCE_END, OPEN) is None

    @pytest.mark.parametrize(
        "value", [item(ROWS)[1:], ROWS, b"\xfe\xff", item(ROWS * 100_000, OPEN)], ids=len
    )
    def test_broken(self, value: bytes) -> None:
        with refused(CorruptFileError):
            self.first(value)

    def test_the_others_are_not_waited_for(self) -> None:
        started = time.process_time()
        assert self.first(item(ROWS) + item() * 1_000_000) is not None
        assert time.process_time() - started < 1.0


class TestFragments:
    def fragments(self, value: bytes) -> list[bytes]:
        source = Source(tag(0x7FE0, 0x0010) + b"OB\0\0" + struct.pack("<I", OPEN) + value)
        (element,) = source.elements(0, explicit=True)
        return source.fragments(element)

    @pytest.mark.parametrize(
        "end", [SEQUENCE_END, b"", SEQUENCE_END[:5], bytes(9), SEQUENCE_END + ROWS], ids=bytes.hex
    )
    def test_their_end_may_be_missing(self, end: bytes) -> None:
        assert self.fragments(item() + item(b"abcd") + item(b"ef") + end) == [b"", b"abcd", b"ef"]

    def test_the_last_may_be_cut_short(self) -> None:
        assert self.fragments(item() + item(b"abcd", 99)) == [b"", b"abcd"]

    def test_padding_that_is_not_counted(self) -> None:
        assert self.fragments(item() + item(b"abc") + b"\0" + item(b"d")) == [b"", b"abc", b"d"]

    def test_none(self) -> None:
        with refused(CorruptFileError, match="no fragment"):
            self.fragments(SEQUENCE_END)
