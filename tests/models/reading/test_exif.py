"""Which way up: found whatever else in EXIF is damaged, and never made up."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from models.image.errors import UnsupportedFormatError
from models.reading import exif
from tests.models.reading.refusals import refused

NAMES = {"<": b"II*\0", ">": b"MM\0*"}


def entry(order: str, tag: int, kind: int, count: int, value: bytes) -> bytes:
    return struct.pack(f"{order}HHI", tag, kind, count) + value.ljust(4, b"\0")


def oriented(order: str, value: int, kind: int = 3) -> bytes:
    return entry(order, 274, kind, 1, struct.pack(order + exif.NUMBERS[kind], value))


def block(order: str, *entries: bytes, start: int = 8, count: int | None = None) -> bytes:
    size = len(entries) if count is None else count
    head = NAMES[order] + struct.pack(f"{order}IH", start, size)
    return b"Exif\0\0" + head + b"".join(entries) + bytes(4)


both_orders = pytest.mark.parametrize("order", ["<", ">"])


@both_orders
@pytest.mark.parametrize("value", range(1, 9))
@pytest.mark.parametrize("kind", exif.NUMBERS)
def test_every_orientation_in_every_type(order: str, value: int, kind: int) -> None:
    assert exif.orientation(block(order, oriented(order, value, kind))) == value
    assert exif.orientation(block(order, oriented(order, value, kind))[6:]) == value


def damaged(order: str) -> dict[str, bytes]:
    six = oriented(order, 6)
    bad: dict[str, Any] = {
        "a value outside the file": entry(order, 256, 2, 41, b"\xff" * 4),
        "more values than memory": entry(order, 271, 5, 0xFFFFFFFF, b"\xff" * 4),
        "a type that there is not": entry(order, 271, 99, 1, b""),
        "zeros": bytes(12),
        "noise": bytes.fromhex("f00dbabe8badf00ddeadbeef"),
        "an entry of ten bytes": struct.pack(f"{order}HHIH", 256, 2, 41, 0x3200),
        "an entry of fourteen": entry(order, 256, 3, 1, bytes(6)),
    }
    found = {}
    for name, other in bad.items():
        found[f"{name} before it"] = block(order, other, six)
        found[f"{name} behind it"] = block(order, six, other)
    return found | {
        "more entries than there are": block(order, six, count=500),
        "cut short behind it": block(order, six, count=9)[:-4],
        "a directory outside the file": block(order, six, start=0x7FFFFFFF),
        "a directory of no entries": block(order, six, count=0),
    }


@both_orders
@pytest.mark.parametrize("name", damaged("<"))
def test_found_whatever_else_is_damaged(order: str, name: str) -> None:
    assert exif.orientation(damaged(order)[name]) == 6


@both_orders
def test_its_own_goes_before_a_thumbnails(order: str) -> None:
    thumbnail = struct.pack(f"{order}H", 1) + oriented(order, 8)
    other = entry(order, 256, 3, 1, b"")
    assert exif.orientation(block(order, oriented(order, 6)) + thumbnail) == 6
    assert exif.orientation(block(order, other) + thumbnail) is None


@both_orders
def test_none(order: str) -> None:
    for value in (0, 9, 255):
        assert exif.orientation(block(order, oriented(order, value))) is None
    whole = block(order, oriented(order, 6))
    for data in (b"", b"Exif\0\0", whole[:12], b"Exif\0\0" + b"??*\0" + whole[10:], block(order)):
        assert exif.orientation(data) is None


def test_the_last_byte_of_its_head_may_be_anything() -> None:
    assert exif.orientation(b"Exif\0\xff" + block("<", oriented("<", 6))[6:]) == 6


XMP = {
    "an attribute": '<rdf:Description tiff:Orientation="{}"/>',
    "in other quotes": "<rdf:Description tiff:Orientation = '{}'/>",
    "an element": "<tiff:Orientation> {} </tiff:Orientation>",
}


@pytest.mark.parametrize("form", XMP.values(), ids=XMP)
def test_in_xmp(form: str) -> None:
    for value in range(1, 9):
        assert exif.in_xmp(form.format(value).encode()) == value
    for value in (0, 9, 66):
        assert exif.in_xmp(form.format(value).encode()) is None


def test_in_a_profile_of_digits() -> None:
    digits = block(">", oriented(">", 6)).hex().encode()
    lines = b"\n".join(digits[start : start + 72] for start in range(0, len(digits), 72))
    assert exif.in_profile(b"\nexif\n      38\n" + lines + b"\n") == 6
    xmp = XMP["an attribute"].format(3).encode()
    assert exif.in_profile(b"\nxmp\n      40\n" + xmp.hex().encode()) == 3
    for data in (b"", b"\nexif\n", b"\nexif\n 3\nabc", b"no lines"):
        assert exif.in_profile(data) is None


@pytest.mark.parametrize(
    ("said", "told", "expected"),
    [
        ([], [], 1),
        ([None], [None, 1], 1),
        ([None, 1, 6, 3], [8], 6),
        ([1], [6], 1),
    ],
)
def test_exif_goes_before_texts(
    said: list[int | None], told: list[int | None], expected: int
) -> None:
    assert exif.settled(said, told, "PNG") == expected


def test_what_only_a_text_says_is_not_lost_in_silence() -> None:
    for said in ([], [None]):
        with refused(UnsupportedFormatError, match="The PNG says in a text alone"):
            exif.settled(said, [None, 6], "PNG")
