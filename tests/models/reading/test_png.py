from __future__ import annotations

import struct
import zlib
from typing import ClassVar

import numpy as np
import pytest

from models.image.errors import (
    CorruptFileError,
    MultipleFramesError,
    TooFewPixelsError,
    TooManyPixelsError,
    TransparencyError,
    UnsupportedFormatError,
)
from models.reading import read
from tests.models.reading import files
from tests.models.reading.encodings import pattern, rgb, wide
from tests.models.reading.refusals import refused

PICTURE = pattern()
SIZE = PICTURE.shape[::-1]
LINES = [line.tobytes() for line in PICTURE]
GREY, COLOUR, PALETTE = 0, 2, 3
HEADER = struct.pack(">IIBBBBB", *SIZE, 8, GREY, 0, 0, 0)


def packed(pixels: np.ndarray, depth: int) -> list[bytes]:
    """Return lines of ``depth`` bits a pixel."""
    bits = np.unpackbits(pixels[..., np.newaxis], axis=2)[..., 8 - depth :]
    return [np.packbits(line.reshape(-1)).tobytes() for line in bits]


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_few_levels_fill_the_whole_range(depth: int) -> None:
    levels = PICTURE >> (8 - depth)
    scan = read(files.png(SIZE, depth, GREY, packed(levels, depth)))
    assert scan.bits == 8
    np.testing.assert_array_equal(scan.pixels, levels * (255 // (2**depth - 1)))


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_a_palette_is_expanded_exactly(depth: int) -> None:
    indices = PICTURE >> (8 - depth)
    colours = np.random.default_rng(3).integers(0, 256, (2**depth, 3), np.uint8)
    png = files.png(
        SIZE, depth, PALETTE, packed(indices, depth), before=[(b"PLTE", colours.tobytes())]
    )
    expected = read(files.pillow(colours[indices], "PNG"))
    np.testing.assert_array_equal(read(png).pixels, expected.pixels)


def test_a_pixel_outside_the_palette() -> None:
    with refused(CorruptFileError, match="colour 255 of a palette of 16"):
        read(files.png(SIZE, 8, PALETTE, LINES, before=[(b"PLTE", bytes(48))]))


def test_interlaced_lines_come_in_order() -> None:
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2)]
    passes.append((1, 0, 2, 1))
    data = b"".join(
        b"\0" + line.tobytes()
        for top, left, down, across in passes
        for line in PICTURE[top::down, left::across]
    )
    header = struct.pack(">IIBBBBB", *SIZE, 8, GREY, 0, 0, 1)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(data)), (b"IEND", b"")]
    png = b"\x89PNG\r\n\x1a\n" + b"".join(files.png_chunk(*chunk) for chunk in chunks)
    np.testing.assert_array_equal(read(png).pixels, PICTURE)


class TestTransparency:
    def test_a_see_through_grey_that_no_pixel_has(self) -> None:
        pixels = np.clip(PICTURE, 1, 255)
        png = files.png(SIZE, 8, GREY, map(bytes, pixels), before=[(b"tRNS", b"\0\0")])
        np.testing.assert_array_equal(read(png).pixels, pixels)

    CASES: ClassVar = {
        "a grey": files.png(SIZE, 8, GREY, LINES, before=[(b"tRNS", b"\0\x42")]),
        "a grey of 4 bits": files.png(
            SIZE, 4, GREY, packed(PICTURE >> 4, 4), before=[(b"tRNS", b"\0\x03")]
        ),
        "a grey of 16 bits": files.png(
            SIZE,
            16,
            GREY,
            (line.astype(">u2").tobytes() for line in wide(PICTURE)),
            before=[(b"tRNS", b"\x42\x42")],
        ),
        "a colour": files.png(
            SIZE, 8, COLOUR, map(bytes, np.repeat(PICTURE, 3, 1)), before=[(b"tRNS", b"\0\x42" * 3)]
        ),
        "a colour of 16 bits": files.png(
            SIZE,
            16,
            COLOUR,
            (line.astype(">u2").tobytes() for line in np.repeat(wide(PICTURE), 3, 1)),
            before=[(b"tRNS", b"\x42\x42" * 3)],
        ),
        "a palette entry": files.png(
            SIZE,
            8,
            PALETTE,
            LINES,
            before=[(b"PLTE", bytes(768)), (b"tRNS", b"\xff" * 40 + b"\xfe")],
        ),
        "an alpha channel": files.pillow(np.dstack([rgb(PICTURE), np.maximum(PICTURE, 1)]), "PNG"),
        "a grey alpha channel": files.pillow(np.dstack([PICTURE, PICTURE]), "PNG"),
    }

    @pytest.mark.parametrize("data", CASES.values(), ids=CASES)
    def test_any_that_shows(self, data: bytes) -> None:
        with refused(TransparencyError, match="background"):
            read(data)

    def test_entries_that_no_pixel_uses(self) -> None:
        palette = np.repeat(np.arange(256, dtype=np.uint8), 3).tobytes()
        pixels = np.clip(PICTURE, 1, 255)
        before = [(b"PLTE", palette), (b"tRNS", b"\0")]
        png = files.png(SIZE, 8, PALETTE, map(bytes, pixels), before=before)
        np.testing.assert_array_equal(read(png).pixels, pixels)


@pytest.mark.parametrize("side", [200, 1100])
def test_pixels_in_many_chunks(side: int) -> None:
    """Few enough to be inflated once, and more than that."""
    pixels = np.random.default_rng(side).integers(0, 256, (side, side), np.uint8)
    body = zlib.compress(b"".join(b"\0" + line.tobytes() for line in pixels))
    header = struct.pack(">IIBBBBB", side, side, 8, GREY, 0, 0, 0)
    parts = [(b"IDAT", body[start : start + 8192]) for start in range(0, len(body), 8192)]
    chunks = [(b"IHDR", header), *parts, (b"IEND", b"")]
    png = b"\x89PNG\r\n\x1a\n" + b"".join(files.png_chunk(*chunk) for chunk in chunks)
    np.testing.assert_array_equal(read(png).pixels, pixels)


def test_what_is_not_needed_never_reaches_the_decoder() -> None:
    """Text, profiles and their bombs: a hundred megabytes of zeros each."""
    deflater = zlib.compressobj(9)
    bomb = b"".join(deflater.compress(bytes(1 << 20)) for _ in range(100)) + deflater.flush()
    before = [
        (b"zTXt", b"Comment\0\0" + bomb),
        (b"iCCP", b"profile\0\0" + bomb),
        (b"tEXt", b"Name\0" + files.PATIENT.encode()),
        (b"eXIf", b"not exif"),
    ]
    png = files.png(SIZE, 8, GREY, LINES, before=before, after=[(b"zTXt", b"More\0\0" + bomb)])
    np.testing.assert_array_equal(read(png).pixels, PICTURE)


def test_pixels_that_inflate_without_end() -> None:
    """A hundred megabytes behind a 64×64 header: inflating ends where the picture should."""
    deflater = zlib.compressobj(9)
    data = deflater.compress(b"".join(b"\0" + bytes(range(64)) for _ in range(64)))
    data += b"".join(deflater.compress(bytes(1 << 20)) for _ in range(100)) + deflater.flush()
    header = struct.pack(">IIBBBBB", 64, 64, 8, GREY, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", data), (b"IEND", b"")]
    png = b"\x89PNG\r\n\x1a\n" + b"".join(files.png_chunk(*chunk) for chunk in chunks)
    with refused(CorruptFileError, match="more or fewer pixels"):
        read(png)


def test_an_animation() -> None:
    with refused(MultipleFramesError, match="animation"):
        read(files.png(SIZE, 8, GREY, LINES, before=[(b"acTL", struct.pack(">II", 2, 0))]))


def test_an_animation_of_one_image_is_an_image() -> None:
    png = files.png(SIZE, 8, GREY, LINES, before=[(b"acTL", struct.pack(">II", 1, 0))])
    np.testing.assert_array_equal(read(png).pixels, PICTURE)


def chunks_of(*kinds: str) -> bytes:
    bodies = {"IHDR": HEADER, "IDAT": zlib.compress(b"".join(b"\0" + line for line in LINES))}
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        files.png_chunk(kind.encode(), bodies.get(kind, b"\0\0\0")) for kind in kinds
    )


def changed(data: bytes, position: int) -> bytes:
    return data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]


def with_pixels(deflated: bytes) -> bytes:
    chunks = [(b"IHDR", HEADER), (b"IDAT", deflated), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(files.png_chunk(*chunk) for chunk in chunks)


WHOLE = files.png(SIZE, 8, GREY, LINES)


def beside(*chunks: bytes, place: bytes = b"IDAT") -> bytes:
    """Return the picture with ``chunks`` before the chunk called ``place``."""
    start = WHOLE.index(place) - 4
    return WHOLE[:start] + b"".join(chunks) + WHOLE[start:]


def unsound(kind: bytes, body: bytes) -> bytes:
    chunk = files.png_chunk(kind, body)
    return chunk[:-1] + bytes([chunk[-1] ^ 1])


ANCILLARY = (
    b"tEXt",
    b"zTXt",
    b"iTXt",
    b"tIME",
    b"pHYs",
    b"gAMA",
    b"iCCP",
    b"sBIT",
    b"vpAg",
    b"eXIf",
)
LENIENT = {
    "no end": WHOLE[:-12],
    "half an end": WHOLE[:-7],
    "an end that does not match its checksum": WHOLE[:-1] + b"\0",
    "an end that claims a body": WHOLE[:-12] + b"\0\0\0\x09" + WHOLE[-8:],
    "zeros for an end": WHOLE[:-12] + bytes(100),
    "something behind the end": WHOLE + b"more",
    "a text for an end, cut short": WHOLE[:-12] + files.png_chunk(b"tEXt", b"Comment\0" * 9)[:-20],
    "a chunk that nobody knows": beside(files.png_chunk(b"prVt", b"?" * 99)),
    "a text amid the pixels": beside(files.png_chunk(b"IDAT", b""), files.png_chunk(b"tEXt", b"a")),
    "part of a line behind the pixels": with_pixels(
        zlib.compress(b"".join(b"\0" + line for line in LINES) + bytes(9))
    ),
    "octets behind the deflated ones": with_pixels(
        zlib.compress(b"".join(b"\0" + line for line in LINES)) + b"more"
    ),
    "an animation of one, with frames": beside(
        files.png_chunk(b"acTL", struct.pack(">II", 1, 0)), files.png_chunk(b"fcTL", bytes(26))
    ),
    **{
        f"{kind.decode()} that does not match its checksum, {where}": beside(
            unsound(kind, b"body" * 9), place=place
        )
        for kind in ANCILLARY
        for where, place in (("before", b"IDAT"), ("behind", b"IEND"))
    },
}


@pytest.mark.parametrize("data", LENIENT.values(), ids=LENIENT)
def test_what_no_pixel_depends_on_may_be_broken(data: bytes) -> None:
    np.testing.assert_array_equal(read(data).pixels, PICTURE)


def test_an_orientation_that_does_not_match_its_checksum() -> None:
    exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"
    turned = read(beside(files.png_chunk(b"eXIf", exif))).pixels
    np.testing.assert_array_equal(turned, np.rot90(PICTURE, -1))
    with refused(CorruptFileError, match="orientation does not match its checksum"):
        read(beside(unsound(b"eXIf", exif)))
    upright = exif.replace(b"\0\6", b"\0\1")
    np.testing.assert_array_equal(read(beside(unsound(b"eXIf", upright))).pixels, PICTURE)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (changed(WHOLE, 20), "IHDR does not match"),
        (changed(WHOLE, 300), "IDAT does not match"),
        (beside(unsound(b"tRNS", b"\0\1")), "tRNS does not match"),
        (WHOLE[: len(WHOLE) // 2], "truncated"),
        (WHOLE[:-14], "truncated"),
    ],
)
def test_what_was_found_is_said(data: bytes, said: str) -> None:
    with refused(CorruptFileError, match=said):
        read(data)


BROKEN = {
    "the pixels' checksum cut short": WHOLE[:-13],
    "half the pixels": WHOLE[: len(WHOLE) // 2],
    "only a signature": WHOLE[:8],
    "a wrong checksum in the header": changed(WHOLE, 20),
    "a flipped bit in the pixels": changed(WHOLE, 300),
    "no header": chunks_of("IDAT", "IEND"),
    "two headers": chunks_of("IHDR", "IHDR", "IDAT", "IEND"),
    "no pixels": chunks_of("IHDR", "IEND"),
    "a palette behind the pixels": chunks_of("IHDR", "IDAT", "PLTE", "IEND"),
    "pixels in two places": chunks_of("IHDR", "IDAT", "PLTE", "IDAT", "IEND"),
    "a line too few": files.png(SIZE, 8, GREY, LINES[:-1]),
    "a line too many": files.png(SIZE, 8, GREY, [*LINES, LINES[0]]),
    "pixels that do not inflate": with_pixels(b"not deflated"),
    "pixels whose checksum is missing": with_pixels(
        zlib.compress(b"".join(b"\0" + line for line in LINES))[:-4]
    ),
    "an interlacing that PNG lacks": WHOLE[:28] + b"\2" + WHOLE[29:],
    "a depth that PNG lacks": files.png(SIZE, 3, GREY, LINES),
    "a colour type that PNG lacks": files.png(SIZE, 8, 5, LINES),
    "a palette image without palette": files.png(SIZE, 8, PALETTE, LINES),
    "an odd palette": files.png(SIZE, 8, PALETTE, LINES, before=[(b"PLTE", bytes(7))]),
    "a transparent colour of wrong length": files.png(
        SIZE, 8, GREY, LINES, before=[(b"tRNS", b"\0")]
    ),
    "chunks without end": b"\x89PNG\r\n\x1a\n" + files.png_chunk(b"IDAT", b"") * 100_001,
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_broken(data: bytes) -> None:
    with refused(CorruptFileError):
        read(data)


def test_a_dialect() -> None:
    with refused(UnsupportedFormatError, match="extension"):
        read(files.png(SIZE, 8, GREY, LINES, before=[(b"CgBI", b"\0\0\0\0")]))


@pytest.mark.parametrize(
    ("size", "error"),
    [
        ((0, 0), TooFewPixelsError),
        ((1, 1), TooFewPixelsError),
        ((2**31 - 1, 2**31 - 1), TooManyPixelsError),
        ((100_000, 100_000), TooManyPixelsError),
    ],
    ids=str,
)
def test_the_size_is_checked_before_anything_is_decoded(
    size: tuple[int, int], error: type[TooFewPixelsError | TooManyPixelsError]
) -> None:
    with refused(error, match=f"{size[0]}×{size[1]}"):
        read(files.png(size, 8, GREY, [b"\0"]))
