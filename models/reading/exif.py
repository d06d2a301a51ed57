"""The one thing in EXIF (CIPA DC-008) that pixels depend on: which way up they are.

It may stand in a text beside the pixels as well, XMP or the hexadecimal EXIF that ImageMagick
writes into PNG. Some programs heed that, browsers do not; where nothing but such a text turns an
image, nobody can tell whether it was turned already.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable
from typing import Final

from models.image.errors import UnsupportedFormatError

ORDERS: Final = {b"II*\0": "<", b"MM\0*": ">"}
ENTRY: Final = 12
NUMBERS: Final = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i"}
"""Types that writers give one small number, as :mod:`struct` calls them."""
KNOWN_TYPES: Final = frozenset((*range(1, 14), 129))
ORIENTATIONS: Final = {
    "<": re.compile(rb"\x12\x01[\x01\x03\x04\x06\x08\x09]\0\x01\0\0\0.{4}", re.DOTALL),
    ">": re.compile(rb"\x01\x12\0[\x01\x03\x04\x06\x08\x09]\0\0\0\x01.{4}", re.DOTALL),
}
"""An entry of tag 274 with one number, wherever it stands."""


HEAD: Final = re.compile(rb"Exif\0.", re.DOTALL)
"""The last byte has been 255."""
IN_XMP: Final = re.compile(rb"tiff:Orientation\s*(?:=\s*[\"']|>)\s*([0-9]+)")
"""As an attribute or as an element of its own (XMP part 2, 8.4)."""
NOT_HEXADECIMAL: Final = re.compile(rb"[^0-9a-fA-F]+")


def settled(said: Iterable[int | None], told: Iterable[int | None], kind: str) -> int:
    """Return the orientation, 1 to 8, of an image: the first that turns it of those ``said`` by
    EXIF, or by a TIFF's own tag.

    Raises :class:`~models.image.errors.UnsupportedFormatError` where these say nothing and one that
    is ``told`` by a text turns the image; ``kind`` names the file for the message.
    """
    known = [one for one in said if one is not None]
    if known:
        return next((one for one in known if one != 1), 1)
    if any(one not in (None, 1) for one in told):
        raise UnsupportedFormatError(
            f"The {kind} says in a text alone that it is to be turned, which some programs do and "
            "others do not; save it the right way up, or with its orientation in EXIF."
        )
    return 1


def in_xmp(text: bytes) -> int | None:
    """Return the orientation, 1 to 8, in XMP, None where it has none."""
    found = IN_XMP.search(text)
    value = int(found[1][:3]) if found else 0
    return value if 1 <= value <= 8 else None


def in_profile(text: bytes) -> int | None:
    """Return the orientation, 1 to 8, in a ``Raw profile`` of ImageMagick's, which is the profile's
    name, its length, and EXIF or XMP in hexadecimal; None where it has none."""
    digits = NOT_HEXADECIMAL.sub(b"", b"".join(text.split(b"\n", 3)[3:]))
    profile = bytes.fromhex(digits[: len(digits) // 2 * 2].decode())
    return orientation(profile) or in_xmp(profile)


def orientation(exif: bytes) -> int | None:
    """Return the orientation, 1 to 8, in an EXIF block; None where it has none.

    Nothing else in the block matters, however damaged. Where its directory is nowhere, or one of
    its entries is shorter or longer than it should be so that none behind stands in its place, the
    orientation is found all the same.
    """
    head = HEAD.match(exif)
    block = exif[head.end() :] if head else exif
    order = ORDERS.get(block[:4])
    if order is None or len(block) < 8:
        return None
    (start,) = struct.unpack_from(f"{order}I", block, 4)
    (count,) = struct.unpack(f"{order}H", block[start : start + 2].ljust(2, b"\0"))
    stop = start + 2 + ENTRY * count
    table = block[start + 2 : stop]
    # An entry that is too long pushes the last one out.
    searched = block[start + 2 : stop + ENTRY] if table else block
    found = [
        (match.start(), value)
        for match in ORIENTATIONS[order].finditer(searched)
        if 1 <= (value := _number(match[0], order)) <= 8
    ]
    for place, value in found:
        if place < len(table) and place % ENTRY == 0:
            return value
    return found[0][1] if found and not _is_in_order(table, order) else None


def _number(entry: bytes, order: str) -> int:
    (kind,) = struct.unpack_from(f"{order}H", entry, 2)
    return int(struct.unpack_from(f"{order}{NUMBERS[kind]}", entry, 8)[0])


def _is_in_order(table: bytes, order: str) -> bool:
    """Tell whether every entry has a type that there is, and the next one a higher tag."""
    whole = table[: len(table) // ENTRY * ENTRY]
    entries = list(struct.iter_unpack(f"{order}HHQ", whole))
    tags = [tag for tag, _, _ in entries]
    return bool(tags) and tags == sorted({*tags}) and {k for _, k, _ in entries} <= KNOWN_TYPES
