"""The one thing in EXIF (CIPA DC-008) that pixels depend on: which way up they are."""

from __future__ import annotations

import re
import struct
from typing import Final

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


def orientation(exif: bytes) -> int:
    """Return the orientation, 1 to 8, in an EXIF block; 1 where it has none.

    Nothing else in the block matters, however damaged. Where its directory is nowhere, or one of
    its entries is shorter or longer than it should be so that none behind stands in its place, the
    orientation is found all the same.
    """
    block = exif.removeprefix(b"Exif\0\0")
    order = ORDERS.get(block[:4])
    if order is None or len(block) < 8:
        return 1
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
    return found[0][1] if found and not _is_in_order(table, order) else 1


def _number(entry: bytes, order: str) -> int:
    (kind,) = struct.unpack_from(f"{order}H", entry, 2)
    return int(struct.unpack_from(f"{order}{NUMBERS[kind]}", entry, 8)[0])


def _is_in_order(table: bytes, order: str) -> bool:
    """Tell whether every entry has a type that there is, and the next one a higher tag."""
    whole = table[: len(table) // ENTRY * ENTRY]
    entries = list(struct.iter_unpack(f"{order}HHQ", whole))
    tags = [tag for tag, _, _ in entries]
    return bool(tags) and tags == sorted({*tags}) and {k for _, k, _ in entries} <= KNOWN_TYPES
