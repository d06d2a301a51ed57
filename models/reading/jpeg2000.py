"""JPEG 2000 main headers (ITU-T T.800 annex A, T.814 for HTJ2K), read before OpenJPEG does.

OpenJPEG takes its memory from what the header claims. The claims that can ask for more than the
image needs are bounded here: tiles, precincts, code blocks and subsampled components.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from models.image.errors import CorruptFileError, UnsupportedColourError

START, END = b"\xff\x4f\xff\x51", b"\xff\xd9"
JP2_SIGNATURE: Final = b"\x00\x00\x00\x0cjP  \r\n\x87\n"
COD, COC, SOT, SOD = 0xFF52, 0xFF53, 0xFF90, 0xFF93
MAX_TILES: Final = 4096
MIN_PRECINCT_EXPONENT: Final = 5
"""Encoders write 7 or 8, and 15 when they do not care; each precinct costs the decoder memory."""
MIN_BLOCK_EXPONENTS: Final = 8
"""Of width and height together: 16×16 samples. Encoders write 64×64; the smallest that the standard
has, 4×4, cost OpenJPEG 500 MB for twenty million samples."""
MAX_MARKERS: Final = 1000
MAX_TILE_PARTS: Final = 100_000


@dataclass(frozen=True)
class Header:
    width: int
    height: int
    components: int
    precision: int


def codestream(data: bytes) -> tuple[bytes, bool]:
    """Return the bare codestream, and whether it has an end mark: where not, one is put there.

    Some writers leave the codestream in a JP2 file, against PS3.5 A.4.4, and others the mark out.
    """
    start = max(data.find(START), 0) if data.startswith(JP2_SIGNATURE) else 0
    # Behind it may be padding to even length, or boxes of a JP2 file.
    end = data.rfind(END, start)
    return (data[start : end + 2], True) if end >= 0 else (data[start:] + END, False)


def parse(stream: bytes, *, has_end: bool = True) -> Header:
    """Return what the codestream says of its size.

    OpenJPEG would make do with what there is of it, at a lower resolution, and say nothing.

    Raises :class:`CorruptFileError` when it is damaged or asks for more than its image can need,
    and :class:`UnsupportedColourError` for components that differ in depth or size.
    """
    if not stream.startswith(START) or len(stream) < 42:
        raise CorruptFileError("The JPEG 2000 data do not begin as they should.")
    length, _, x1, y1, x0, y0, tile_width, tile_height, tile_x, tile_y, components = struct.unpack(
        ">HH8IH", stream[4:42]
    )
    described = stream[42 : 42 + 3 * components]
    if length != 38 + 3 * components or len(described) < 3 * components or not components:
        raise CorruptFileError("The JPEG 2000 data have a broken header.")
    if x0 or y0 or tile_x or tile_y or not (x1 and y1 and tile_width and tile_height):
        raise CorruptFileError("The JPEG 2000 image is not laid out from its corner.")
    tiles = -(-x1 // tile_width) * -(-y1 // tile_height)
    if tiles > MAX_TILES:
        raise CorruptFileError(f"The JPEG 2000 image has more than {MAX_TILES} tiles.")
    if set(described[1::3] + described[2::3]) != {1} or len(set(described[::3])) != 1:
        raise UnsupportedColourError("The JPEG 2000 components differ in size or depth.")
    _check_tiles(stream, _check_markers(stream, 4 + length, SOT), tiles, has_end=has_end)
    precision = (described[0] & 0x7F) + 1
    if precision > 16:
        raise UnsupportedColourError(f"The JPEG 2000 image has {precision} bits; 16 are read.")
    return Header(x1, y1, components, precision)


def _check_markers(stream: bytes, offset: int, last: int) -> int:
    """Check each coding style (A.6.1, A.6.2) from ``offset`` on; return where ``last`` stands."""
    for _ in range(MAX_MARKERS):
        head = stream[offset : offset + 4]
        if len(head) < 4:
            break
        marker, length = struct.unpack(">HH", head)
        if marker == last:
            return offset
        if marker < 0xFF50 or length < 2:
            break
        body = stream[offset + 4 : offset + 2 + length]
        if marker == COD and body:
            _check_style(body[0], body[5:])
        if marker == COC and len(body) > 1:
            _check_style(body[1], body[2:])
        offset += 2 + length
    raise CorruptFileError("The JPEG 2000 data are truncated: they hold no tile.")


def _check_style(style: int, parameters: bytes) -> None:
    """Check the SPcod or SPcoc parameters (table A.15) of a coding ``style``."""
    if len(parameters) < 5 or parameters[1] + parameters[2] + 4 < MIN_BLOCK_EXPONENTS:
        raise CorruptFileError("The JPEG 2000 image is cut into too many code blocks.")
    if style & 1:
        # From the second resolution on; the first, the smallest, may have smaller ones.
        exponents = (e for size in parameters[6:] for e in (size >> 4, size & 15))
        if min(exponents, default=15) < MIN_PRECINCT_EXPONENT:
            raise CorruptFileError("The JPEG 2000 image is cut into too many precincts.")


def _check_tiles(stream: bytes, offset: int, tiles: int, *, has_end: bool) -> None:
    """Check that tile parts (A.4.2) follow each other to the end, and no tile is missing.

    OpenJPEG leaves one black that is, and says nothing.
    """
    found: set[int] = set()
    for _ in range(MAX_TILE_PARTS):
        head = stream[offset : offset + 10]
        if len(head) < 10 or int.from_bytes(head[:2], "big") != SOT:
            break
        index, size = struct.unpack(">HI", head[4:])
        found.add(index)
        _check_markers(stream, offset + 12, SOD)
        if not size and not has_end:
            raise CorruptFileError("The JPEG 2000 data may be truncated: they have no end mark.")
        # The last may leave its size open.
        offset = offset + size if size else len(stream) - len(END)
    if stream[offset:] != END or found != set(range(tiles)):
        raise CorruptFileError("The JPEG 2000 data do not hold all of their tiles.")
