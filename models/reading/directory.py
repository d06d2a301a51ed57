"""Directories as TIFF 6.0 (section 2) and BigTIFF write them."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from enum import IntEnum
from typing import Final, NamedTuple

from models.image.errors import CorruptFileError


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
    XMP = 700


NUMBERS: Final = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 16: "Q", 17: "q"}
"""Types of whole numbers, as :mod:`struct` calls them."""
BYTE, SHORT, LONG, UNDEFINED = 1, 3, 4, 7
MAX_VALUES: Final = 200_000
"""Enough for 40 million pixels in the smallest tiles that TIFF allows."""


class Layout(NamedTuple):
    """How a file writes its directories: byte order, where the first one's offset stands, and what
    :mod:`struct` calls its number of entries and its lengths and offsets."""

    order: str
    first: int
    tally: str
    word: str

    @property
    def entry(self) -> int:
        return 4 + 2 * struct.calcsize(self.word)

    def number(self, kind: str, data: bytes, offset: int) -> int:
        """Return the number at ``offset``, 0 where the file has ended."""
        octets = data[offset : offset + struct.calcsize(kind)]
        return int.from_bytes(octets, "little" if self.order == "<" else "big")


LAYOUTS: Final[Mapping[bytes, Layout]] = {
    b"II*\0": Layout("<", 4, "H", "I"),
    b"MM\0*": Layout(">", 4, "H", "I"),
    b"II+\0": Layout("<", 8, "Q", "Q"),
    b"MM\0+": Layout(">", 8, "Q", "Q"),
}


class Directory:
    """The entries of one image, read when they are asked for: what nobody asks may be broken.

    ``follows`` tells that another image does.
    """

    def __init__(self, data: bytes) -> None:
        layout = LAYOUTS.get(data[:4])
        if layout is None or len(data) < layout.first + 4:
            raise CorruptFileError("The TIFF has no readable header.")
        self._data = data
        self._layout = layout
        self._entries: dict[int, bytes] = {}
        self._twice: set[int] = set()
        self._read: dict[int, tuple[int, ...]] = {}
        table, following = self._table(layout.number(layout.word, data, layout.first))
        if not table:
            raise CorruptFileError("The TIFF is truncated: its directory lies outside the file.")
        for offset in range(0, len(table), layout.entry):
            entry = table[offset : offset + layout.entry]
            tag = layout.number("H", entry, 0)
            if self._entries.setdefault(tag, entry) != entry:
                self._twice.add(tag)
        # Writers that end the file with the directory leave the link to the next one out.
        self.follows = self._is_image(following)

    def _table(self, start: int) -> tuple[bytes, int]:
        """Return the entries of the directory at ``start``, none where it is not whole, and what
        follows them."""
        layout = self._layout
        first = start + struct.calcsize(layout.tally)
        stop = first + layout.entry * layout.number(layout.tally, self._data, start)
        table = self._data[first:stop] if stop <= len(self._data) else b""
        return table, layout.number(layout.word, self._data, stop)

    def _is_image(self, start: int) -> bool:
        table, _ = self._table(start) if start else (b"", 0)
        tags = (
            self._layout.number("H", table, at) for at in range(0, len(table), self._layout.entry)
        )
        return Tag.ImageWidth in tags

    def one(self, tag: Tag, default: int | None = None) -> int:
        values = self.many(tag) or (() if default is None else (default,))
        if len(values) != 1:
            raise CorruptFileError(
                f"The TIFF has {len(values)} values for {tag.name}; one is needed."
            )
        return values[0]

    def many(self, tag: Tag) -> tuple[int, ...]:
        if tag not in self._read:
            kind, count, stored = self._stored(tag)
            if count and kind not in NUMBERS:
                raise CorruptFileError(f"The TIFF's {tag.name} is not of a type that it has.")
            values = struct.unpack(f"{self._layout.order}{count}{NUMBERS.get(kind, 'B')}", stored)
            if min(values, default=0) < 0:
                raise CorruptFileError(f"The TIFF's {tag.name} is below zero.")
            self._read[tag] = values
        return self._read[tag]

    def octets(self, tag: Tag) -> bytes:
        kind, count, stored = self._stored(tag)
        if count and kind not in (BYTE, UNDEFINED):
            raise CorruptFileError(f"The TIFF's {tag.name} is not of a type that it has.")
        return stored

    def _stored(self, tag: Tag) -> tuple[int, int, bytes]:
        """Return type and number of a tag's values, and the values as they stand in the file."""
        layout, entry = self._layout, self._entries.get(tag)
        if tag in self._twice:
            raise CorruptFileError(f"The TIFF has {tag.name} twice, with different values.")
        if entry is None:
            return BYTE, 0, b""
        kind = layout.number("H", entry, 2)
        count = layout.number(layout.word, entry, 4)
        if count > MAX_VALUES:
            raise CorruptFileError(f"The TIFF has {count} values for {tag.name}.")
        size = count * struct.calcsize(NUMBERS.get(kind, "B"))
        room = struct.calcsize(layout.word)
        stored = entry[4 + room :][:size]
        if size > room:
            offset = layout.number(layout.word, entry, 4 + room)
            stored = self._data[offset : offset + size]
        if len(stored) < size:
            raise CorruptFileError(f"The TIFF is truncated: its {tag.name} lies outside the file.")
        return kind, count, stored
