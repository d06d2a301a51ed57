"""PNG chunks (ISO/IEC 15948): checked, measured and stripped before Pillow decodes them."""

from __future__ import annotations

import contextlib
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.image.errors import CorruptFileError, MultipleFramesError, UnsupportedFormatError
from models.reading import exif
from models.reading.header import Header
from models.reading.limits import Limits

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
MAX_CHUNKS: Final = 100_000
"""libpng writes 8 KiB chunks; 40 million pixels of 16 bits are 10 000 of them."""

GREY, COLOUR, PALETTE, GREY_ALPHA, COLOUR_ALPHA = 0, 2, 3, 4, 6
SAMPLES: Final = {GREY: 1, COLOUR: 3, PALETTE: 1, GREY_ALPHA: 2, COLOUR_ALPHA: 4}
DEPTHS: Final = {
    GREY: (1, 2, 4, 8, 16),
    COLOUR: (8, 16),
    PALETTE: (1, 2, 4, 8),
    GREY_ALPHA: (8, 16),
    COLOUR_ALPHA: (8, 16),
}

ADAM7: Final = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
"""Left, top, step across, step down, of each pass."""
PIECE: Final = 1 << 20
CRITICAL: Final = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
END: Final = b"\0\0\0\0IEND\xae\x42\x60\x82"


TEXTS: Final = (b"tEXt", b"zTXt", b"iTXt")
LONGEST_KEYWORD: Final = 80
TURNING: Final[Mapping[bytes, Callable[[bytes], int | None]]] = {
    b"XML:com.adobe.xmp": exif.in_xmp,
    b"Raw profile type exif": exif.in_profile,
    b"Raw profile type APP1": exif.in_profile,
    b"Raw profile type xmp": exif.in_profile,
}
"""Keywords of texts that an orientation may stand in, and how it is found there."""


class Chunk(NamedTuple):
    """A chunk where it lies in the file: the pixels of a large one are not held twice.

    ``intact`` tells that it matches its checksum.
    """

    kind: bytes
    whole: memoryview
    intact: bool

    @property
    def body(self) -> memoryview:
        return self.whole[8:-4]

    @property
    def may_be_left_out(self) -> bool:
        return bool(self.kind[0] & 0x20)


def parse(data: bytes, limits: Limits) -> Header:
    """Return the header of the PNG in ``data``, its size already checked against ``limits``.

    Chunks that pixels do not depend on may be broken, and the end may be missing. Raises
    :class:`CorruptFileError` for any other that is, :class:`MultipleFramesError` for an animation
    and :class:`UnsupportedFormatError` for a PNG dialect that needs chunks of its own.
    """
    chunks = list(_chunks(data))
    if not chunks or chunks[0].kind != b"IHDR":
        raise CorruptFileError("The PNG does not begin with its header.")
    header = bytes(chunks[0].body)
    if len(header) != 13:
        raise CorruptFileError(f"The PNG's header is {len(header)} bytes long; 13 are needed.")
    width, height, depth, colour, *_, interlaced = struct.unpack(">IIBBBBB", header)
    limits.check(width, height, SAMPLES.get(colour, 1))
    if depth not in DEPTHS.get(colour, ()) or interlaced > 1:
        raise CorruptFileError(
            f"The PNG claims colour type {colour} with {depth} bits, which PNG does not have."
        )
    animation = _body(chunks, b"acTL")
    if animation is not None and int.from_bytes(animation[:4], "big") != 1:
        raise MultipleFramesError("The PNG is an animation; one image is allowed.")
    critical = [chunk for chunk in chunks if not chunk.may_be_left_out and chunk.kind != b"IEND"]
    kinds = [chunk.kind for chunk in critical]
    if b"IDAT" not in kinds and chunks[-1].kind != b"IEND":
        raise CorruptFileError("The PNG is truncated: its pixels are not whole.")
    _check_order(kinds, colour)
    needed = sum(
        down * (1 + -(-across * depth * SAMPLES[colour] // 8))
        for across, down in _passes(width, height, interlaced=bool(interlaced))
    )
    line = 1 + width * depth * SAMPLES[colour] // 8
    if not _inflates([chunk.body for chunk in critical if chunk.kind == b"IDAT"], needed, line):
        if chunks[-1].kind != b"IEND":
            raise CorruptFileError("The PNG is truncated: it stops before its end mark.")
        raise CorruptFileError("The PNG holds more or fewer pixels than its size needs.")
    palette = alpha = None
    transparency = _body(chunks, b"tRNS") if colour in (GREY, COLOUR, PALETTE) else None
    if colour == PALETTE:
        palette = _palette(_body(chunks, b"PLTE") or b"")
        alpha = np.frombuffer(transparency, np.uint8) if transparency else None
    return Header(
        width=width,
        height=height,
        sanitised=b"".join((SIGNATURE, *(chunk.whole for chunk in critical), END)),
        orientation=_orientation(chunks),
        palette=palette,
        palette_alpha=alpha,
        transparent=_transparent(transparency, depth, colour) if transparency else None,
    )


def _chunks(data: bytes) -> Iterator[Chunk]:
    """Yield the chunks up to and with IEND, or as far as they are whole.

    Raises :class:`CorruptFileError` where a checksum is wrong that pixels may depend on.
    """
    view, offset = memoryview(data), len(SIGNATURE)
    for _ in range(MAX_CHUNKS):
        head = data[offset : offset + 8]
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        chunk = view[offset : offset + 12 + length]
        if kind == b"IEND":
            yield Chunk(kind, chunk, intact=True)
            return
        if len(chunk) < 12 + length or not kind.isalpha():
            return
        intact = zlib.crc32(chunk[4:-4]) == int.from_bytes(chunk[-4:], "big")
        if not intact and kind in (*CRITICAL, b"tRNS"):
            raise CorruptFileError(f"The PNG's {kind.decode()} does not match its checksum.")
        yield Chunk(kind, chunk, intact)
        offset += len(chunk)
    raise CorruptFileError(f"The PNG has more than {MAX_CHUNKS} chunks.")


def _body(chunks: list[Chunk], kind: bytes) -> bytes | None:
    return next((bytes(chunk.body) for chunk in chunks if chunk.kind == kind), None)


def _orientation(chunks: list[Chunk]) -> int:
    """Return the orientation in the EXIF chunk; one that cannot be trusted must not turn it."""
    said = []
    for chunk in chunks:
        if chunk.kind == b"eXIf":
            said.append(exif.orientation(bytes(chunk.body)))
            if not chunk.intact and said[-1] not in (None, 1):
                raise CorruptFileError("The PNG's orientation does not match its checksum.")
    return exif.settled(said, _told(chunks), "PNG")


def _told(chunks: list[Chunk]) -> Iterator[int | None]:
    """Yield what texts say of the orientation: the first of each keyword, since each may inflate
    to a megabyte."""
    seen = set()
    for chunk in chunks:
        if chunk.kind in TEXTS:
            keyword = bytes(chunk.body[:LONGEST_KEYWORD]).partition(b"\0")[0]
            if keyword in TURNING and keyword not in seen:
                seen.add(keyword)
                yield TURNING[keyword](_text(chunk, bytes(chunk.body[len(keyword) + 1 :])))


def _text(chunk: Chunk, rest: bytes) -> bytes:
    """Return what follows the keyword of a text (11.3.4), inflated where it is deflated."""
    deflated = chunk.kind == b"zTXt"
    if chunk.kind == b"iTXt":
        deflated = rest[:1] == b"\1"
        # Language and translated keyword.
        rest = rest[1:2] + rest[2:].split(b"\0", 2)[-1]
    if not deflated:
        return rest
    with contextlib.suppress(zlib.error):
        return zlib.decompressobj().decompress(rest[1:], PIECE)
    return b""


def _check_order(kinds: list[bytes], colour: int) -> None:
    """Check that there is one header, and at most one palette before the pixels."""
    if set(kinds) - set(CRITICAL):
        raise UnsupportedFormatError(
            "The PNG needs an extension that is not part of the PNG standard."
        )
    palettes = kinds.count(b"PLTE")
    pixels = kinds.count(b"IDAT")
    if not pixels:
        raise CorruptFileError("The PNG holds no pixels.")
    in_order = [b"IHDR"] + palettes * [b"PLTE"] + pixels * [b"IDAT"]
    if kinds != in_order or palettes > 1 or (colour == PALETTE and not palettes):
        raise CorruptFileError("The PNG has a chunk missing, misplaced or twice.")


def _passes(width: int, height: int, *, interlaced: bool) -> Iterator[tuple[int, int]]:
    """Yield columns and lines of each pass; Adam7 (8.2) goes over the image seven times."""
    if not interlaced:
        yield width, height
        return
    for left, top, across, down in ADAM7:
        columns, lines = -(-(width - left) // across), -(-(height - top) // down)
        if columns > 0 and lines > 0:
            yield columns, lines


def _inflates(bodies: list[memoryview], needed: int, line: int) -> bool:
    """Tell whether the lines inflate to just what the size needs, without holding them.

    Behind them may lie less than a ``line``. Pillow leaves lines black that are not there, and
    says nothing.
    """
    inflater, held = zlib.decompressobj(), 0
    try:
        for body in bodies:
            pending: bytes | memoryview = body
            while pending and held < needed + line:
                held += len(inflater.decompress(pending, PIECE))
                pending = inflater.unconsumed_tail
        # What is left inside does not grow: at most a window of it.
        held += len(inflater.flush()) if held < needed + line else 0
    except zlib.error:
        raise CorruptFileError("The PNG's pixels are damaged.") from None
    return needed <= held < needed + line and inflater.eof


def _palette(body: bytes) -> NDArray[np.uint8]:
    if len(body) % 3 or not 0 < len(body) <= 768:
        raise CorruptFileError(
            f"The PNG has a palette of {len(body)} bytes; 3 a colour are needed."
        )
    return np.frombuffer(body, np.uint8).reshape(-1, 3)


def _transparent(body: bytes, depth: int, colour: int) -> tuple[int, ...] | None:
    """Return the see-through colour as decoded: 8 bits, or 16 for grey of 16 bits."""
    samples = {GREY: 1, COLOUR: 3}.get(colour)
    if samples is None:
        return None
    if len(body) != 2 * samples:
        raise CorruptFileError("The PNG's transparent colour has the wrong length.")
    levels = struct.unpack(f">{samples}H", body)
    if colour == COLOUR and depth == 16:
        # Pillow keeps the upper byte of 16-bit colour; what differs below can only be guessed,
        # and the guess that refuses is the safe one.
        return tuple(level >> 8 for level in levels)
    if depth < 8:
        return tuple((level & (2**depth - 1)) * 255 // (2**depth - 1) for level in levels)
    return levels
