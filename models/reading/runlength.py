"""RLE Lossless (PS3.5 annex G): PackBits, one segment for each byte of each sample."""

from __future__ import annotations

import struct
from typing import Final

from models.errors import CorruptFileError

HEADER: Final = 64
MAX_SEGMENTS: Final = 15


def decode(data: bytes, segments: int, length: int) -> list[bytes]:
    """Return ``segments`` planes of ``length`` bytes each, the upper byte of a sample first.

    Raises :class:`CorruptFileError` when the header announces others, or one is broken.
    """
    if len(data) < HEADER:
        raise CorruptFileError("The RLE data are truncated.")
    count, *offsets = struct.unpack(f"<{1 + MAX_SEGMENTS}I", data[:HEADER])
    starts = [*offsets[:count], len(data)]
    if count != segments or starts != sorted(starts) or starts[0] < HEADER:
        raise CorruptFileError(f"The RLE data do not have the {segments} segments they need.")
    return [_segment(data[starts[i] : starts[i + 1]], length) for i in range(segments)]


def _segment(data: bytes, length: int) -> bytes:
    """Return the ``length`` bytes that a segment stands for (G.3.2)."""
    decoded = bytearray()
    position, end = 0, len(data)
    while len(decoded) < length and position < end:
        head = data[position]
        if head < 128:
            decoded += data[position + 1 : position + 2 + head]
            position += 2 + head
        elif head > 128:
            decoded += data[position + 1 : position + 2] * (257 - head)
            position += 2
        else:
            position += 1
    if len(decoded) != length:
        raise CorruptFileError(
            f"An RLE segment unfolds to {len(decoded)} bytes; {length} are needed."
        )
    return bytes(decoded)
