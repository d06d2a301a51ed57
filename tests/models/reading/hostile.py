"""Files that cost a reader all that they can for a megabyte, by what they are made of.

``HOSTILE[name]()`` returns one of at most :data:`LARGEST` bytes. Each is a recipe, not a sample:
what is repeated, nested, shared or claimed is said here, and a mended reader is held against all
of it. Most are refusals; some, only large, are scans.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from math import isqrt
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom import uid

from models.reading.limits import Limits
from tests.models.reading import files
from tests.models.reading.encodings import encapsulated, jpeg_2000_frame, jpeg_ls_frame, rle_frame

LARGEST: Final = 1_000_000
_samples: Final = ContextVar("samples", default=Limits().max_samples)
ROOM: Final = LARGEST - 8000


@contextmanager
def read_up_to(samples: int) -> Iterator[None]:
    """Have the files that are made meanwhile be the largest where ``samples`` are allowed."""
    token = _samples.set(samples)
    try:
        yield
    finally:
        _samples.reset(token)


def _side() -> int:
    """Return the side of the largest square that is read, a multiple of 16."""
    return isqrt(_samples.get()) // 16 * 16


def _square(samples: int = 1, dtype: type = np.uint8) -> NDArray[Any]:
    """Return the largest image that is read, of ``samples`` channels, nearly all of it black."""
    side = isqrt(_samples.get() // samples)
    pixels = np.zeros((side, side, samples) if samples > 1 else (side, side), dtype)
    pixels[: side // 2, : side // 2] = np.iinfo(dtype).max // 2
    return pixels


# JPEG


def jpeg_segment(marker: int, body: bytes) -> bytes:
    return b"\xff" + bytes((marker,)) + (len(body) + 2).to_bytes(2, "big") + body


def jpeg_frame(marker: int, width: int, height: int, count: int = 1, bits: int = 8) -> bytes:
    components = b"".join(bytes((number, 0x11, 0)) for number in range(1, count + 1))
    size = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return jpeg_segment(marker, bytes((bits,)) + size + bytes((count,)) + components)


def jpeg_scan(predictor: int = 0, count: int = 1) -> bytes:
    components = b"".join(bytes((number, 0)) for number in range(1, count + 1))
    return jpeg_segment(0xDA, bytes((count,)) + components + bytes((predictor, 0, 0)))


def jpeg(*parts: bytes) -> bytes:
    return b"\xff\xd8" + b"".join(parts) + b"\xff\xd9"


ONE_BIT: Final = jpeg_segment(0xC4, bytes((0, 1, *[0] * 15, 0)))
"""A Huffman table in which one bit is a whole sample: no difference."""


def lossless(width: int, height: int, entropy: bytes, *before: bytes, predictor: int = 1) -> bytes:
    frame = jpeg(jpeg_frame(0xC3, width, height), ONE_BIT, *before, jpeg_scan(predictor), entropy)
    claimed = np.broadcast_to(np.uint8(0), (height, width))
    return encapsulated(frame, claimed, uid.JPEGLossless)


def _lossless_of_one_bit(width: int, height: int, predictor: int) -> bytes:
    return lossless(width, height, bytes(-(-width * height // 8)), predictor=predictor)


def _lossless_restarts(width: int, height: int) -> bytes:
    line = bytes(-(-width // 8))
    lines = (line + bytes((0xFF, 0xD0 + index % 8)) for index in range(height - 1))
    interval = jpeg_segment(0xDD, width.to_bytes(2, "big"))
    return lossless(width, height, b"".join(lines) + line, interval)


def _without_end(pixels: NDArray[Any], **options: Any) -> bytes:
    return files.pillow(pixels, "JPEG", quality=30, **options)[:-2]


def _many_tables(body: bytes) -> bytes:
    segment = jpeg_segment(0xC4, body * (65_000 // len(body)))
    return segment * (ROOM // len(segment))


def _progressive(scans: int) -> bytes:
    """Return a progressive JPEG of the largest size whose ``scans`` all say nothing."""
    saved = files.pillow(_square(), "JPEG", quality=30, progressive=True)
    end = saved.rindex(b"\xff\xda")
    last = saved[end:-2]
    return saved[:-2] + last * min(scans, (ROOM - len(saved)) // len(last)) + b"\xff\xd9"


# TIFF and EXIF


def entry(tag: int, kind: int, count: int, value: int) -> bytes:
    return struct.pack("<HHII", tag, kind, count, value)


def directory(entries: list[bytes], body: bytes) -> bytes:
    start = 8 + len(body)
    return b"".join(
        (
            b"II*\0",
            struct.pack("<I", start),
            body,
            struct.pack("<H", len(entries)),
            *entries,
            bytes(4),
        )
    )


_TAGS: Final = (256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 284, 317, 320, 322, 323)


def _repeated(tag: int) -> bytes:
    return directory([entry(tag, 4, 180_000, 8)] * 20_000, bytes(720_000))


def _shared() -> bytes:
    return directory([entry(tag, 4, 200_000, 8) for tag in _TAGS], bytes(800_000))


def _exif(kind: str) -> bytes:
    exif = b"Exif\0\0" + directory([entry(274, 3, 30_000, 8)] * 300, bytes(60_000))
    if kind == "JPEG":
        saved = files.pillow(_small(), "JPEG")
        return saved[:2] + jpeg_segment(0xE1, exif) * 14 + saved[2:]
    chunk = files.png_chunk(
        b"eXIf", directory([entry(274, 3, 199_000, 8)] * 40_000, bytes(400_000))
    )
    saved = files.pillow(_small(), "PNG")
    return saved[:33] + chunk + saved[33:]


def _exif_in_disorder() -> bytes:
    """Return a JPEG whose EXIF look like orientations from each of their bytes on."""
    six = b"\x01\x12\0\3\0\0\0\1\0\6\0\0"
    exif = b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"?" + six * 5_400
    saved = files.pillow(_small(), "JPEG")
    return saved[:2] + jpeg_segment(0xE1, exif) * 14 + saved[2:]


def _big_directory() -> bytes:
    entries = struct.pack("<HHQQ", 274, 3, 199_000, 16) * 40_000
    head = b"II+\0" + struct.pack("<HHQQ", 8, 0, 16, 40_000)
    return head + entries + struct.pack("<Q", 16)


def _without_lengths() -> bytes:
    """Return a deflated TIFF whose strips all begin at one place and tell no lengths."""
    rows, data = 50_000, zlib.compress(bytes(32)) + bytes(500_000)
    tags: dict[int, Any] = {**files.tiff_tags(32, rows), 259: 8, 278: 1}
    return files.tiff(data, tags | {273: [8] * rows, 279: [0] * rows})


def _small() -> NDArray[np.uint8]:
    return np.arange(64 * 64, dtype=np.uint8).reshape(64, 64)


def _strips_that_share(compression: int) -> bytes:
    """Return a TIFF whose strips are all one, nearly as long as the file."""
    rows, data = 50_000, zlib.compress(bytes(32)) + bytes(500_000)
    tags: dict[int, Any] = {**files.tiff_tags(32, rows), 259: compression, 278: 1}
    return files.tiff(data, tags | {273: [8] * rows, 279: [len(data)] * rows})


def _short_strips(rows: int) -> bytes:
    tags: dict[int, Any] = {**files.tiff_tags(32, rows, bits=1), 278: 1}
    offsets = [8 + 4 * row for row in range(rows)]
    data = np.arange(rows, dtype="<u4").tobytes()
    return files.tiff(data, tags | {273: offsets, 279: [4] * rows})


def _one_large_tile() -> bytes:
    data = zlib.compress(bytes(3 * 8192 * 4096))
    tags: dict[int, Any] = {**files.tiff_tags(32, 32, photometric=2), 258: [8] * 3, 277: 3, 259: 8}
    return files.tiff(data, tags | {322: 8192, 323: 4096, 324: [8], 325: [len(data)]})


# PNG


def _png(side: tuple[int, int], depth: int, colour: int, line: int, **more: Any) -> bytes:
    lines = (bytes((row % 2,)) + bytes(line - 1) for row in range(side[1]))
    return files.png(side, depth, colour, lines, **more)


def _rgb_of_16_bits() -> bytes:
    side = isqrt(_samples.get() // 3)
    return _png((side, side), 16, 2, 6 * side)


def _pixels_in_many_chunks() -> bytes:
    saved = files.png((64, 64), 8, 0, (bytes((row,)) * 64 for row in range(64)))
    start, end = saved.index(b"IDAT") - 4, saved.index(b"IEND") - 4
    body = saved[start + 8 : end - 4]
    empty = files.png_chunk(b"IDAT", b"") * ((ROOM - len(saved)) // 12)
    return saved[:start] + empty + files.png_chunk(b"IDAT", body) + saved[end:]


def _interlaced() -> bytes:
    side = _side()
    lines = b"".join(
        bytes(down * (1 + across))
        for across, down in (
            (-(-(side - left) // wide), -(-(side - top) // deep))
            for left, top, wide, deep in (
                (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4),
                (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2),
            )
        )
    )  # fmt: skip
    octets = bytearray(lines)
    octets[1] = 200
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 1)
    return (
        b"\x89PNG\r\n\x1a\n"
        + files.png_chunk(b"IHDR", header)
        + files.png_chunk(b"IDAT", zlib.compress(bytes(octets)))
        + files.png_chunk(b"IEND", b"")
    )


# DICOM


def element(tag: int, vr: bytes, value: bytes, length: int | None = None) -> bytes:
    length = len(value) if length is None else length
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr
    wide = vr in (b"SQ", b"OB", b"OW", b"UN", b"UT")
    return head + (struct.pack("<HI", 0, length) if wide else struct.pack("<H", length)) + value


ITEM: Final = b"\xfe\xff\x00\xe0"
ITEM_END: Final = b"\xfe\xff\x0d\xe0" + bytes(4)
SEQUENCE_END: Final = b"\xfe\xff\xdd\xe0" + bytes(4)
OPEN: Final = 0xFFFFFFFF


def _inserted(elements: bytes, before: bytes = b"\x28\x00\x02\x00") -> bytes:
    """Return a whole DICOM file with ``elements`` in front of the one that begins ``before``."""
    whole = files.grey_dicom(_small())
    place = whole.index(before)
    return whole[:place] + elements + whole[place:]


def _empty_items(tag: int) -> bytes:
    items = (ITEM + bytes(4)) * (ROOM // 8)
    return _inserted(element(tag, b"SQ", items + SEQUENCE_END, OPEN))


def _open_items(tag: int) -> bytes:
    items = (ITEM + b"\xff\xff\xff\xff" + ITEM_END) * (ROOM // 16)
    return _inserted(element(tag, b"SQ", items + SEQUENCE_END, OPEN))


def _nested(levels: int) -> bytes:
    start = element(0x00081115, b"SQ", ITEM + b"\xff\xff\xff\xff", OPEN)
    end = ITEM_END + SEQUENCE_END
    return _inserted(start * levels + end * levels)


def _miscounted(piece: bytes) -> bytes:
    """Return a file with as many of ``piece``, a sequence with a wrong length, as there is room."""
    return _inserted(element(0x00081115, b"SQ", piece, 4) * (ROOM // (len(piece) + 12)))


def _octets_without_marks() -> bytes:
    each = element(0x00090010, b"OB", b"?" * 20, OPEN)
    return _inserted(each * (ROOM // len(each)) + SEQUENCE_END)


def _small_elements() -> bytes:
    each = (element(0x00090000 | number, b"UN", b"") for number in range(0x1000, 0xFFFF))
    return _inserted(b"".join(each)[: ROOM // 12 * 12])


def _first_is_a_sequence() -> bytes:
    """Return what without a preamble looks like DICOM, if one goes through all of it."""
    items = (ITEM + b"\xff\xff\xff\xff" + ITEM_END) * (ROOM // 16)
    return element(0x00080005, b"SQ", items + SEQUENCE_END, OPEN) + element(0x00080008, b"CS", b"")


def _fragments() -> bytes:
    whole = encapsulated(rle_frame(_small()), _small(), uid.RLELossless)
    place = whole.rindex(SEQUENCE_END)
    return whole[:place] + (ITEM + bytes(4)) * ((ROOM - len(whole)) // 8) + whole[place:]


def _long_text(tag: int, text: bytes) -> bytes:
    value = (text * (ROOM // len(text)))[: ROOM // 2 * 2]
    data = files.grey_dicom(_small(), syntax=uid.ImplicitVRLittleEndian, WindowCenter="1")
    start = data.index(struct.pack("<HH", tag >> 16, tag & 0xFFFF), 132)
    (length,) = struct.unpack("<I", data[start + 4 : start + 8])
    return data[: start + 4] + struct.pack("<I", len(value)) + value + data[start + 8 + length :]


def _deflated(pixels: NDArray[Any], **elements: Any) -> bytes:
    return files.grey_dicom(pixels, syntax=uid.DeflatedExplicitVRLittleEndian, **elements)


def _palette() -> bytes:
    entries = (np.arange(65_536, dtype="<u2")).tobytes()
    colours: dict[str, Any] = {}
    for name in ("Red", "Green", "Blue"):
        colours[f"{name}PaletteColorLookupTableDescriptor"] = [0, 0, 16]
        colours[f"{name}PaletteColorLookupTableData"] = entries
    return _deflated(_square(dtype=np.uint16), PhotometricInterpretation="PALETTE COLOR", **colours)


def _inflating() -> bytes:
    items = (ITEM + bytes(4)) * 5_000_000
    return _deflate_inserted(element(0x00081115, b"SQ", items + SEQUENCE_END, OPEN))


def _deflate_inserted(elements: bytes) -> bytes:
    small = files.grey_dicom(_small(), syntax=uid.DeflatedExplicitVRLittleEndian)
    # The file meta information says how long it is: (0002,0000), behind preamble and prefix.
    start = 132 + 12 + struct.unpack("<I", small[140:144])[0]
    inside = zlib.decompress(small[start:], -zlib.MAX_WBITS)
    place = inside.index(b"\x28\x00\x02\x00")
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return (
        small[:start]
        + deflate.compress(inside[:place] + elements + inside[place:])
        + deflate.flush()
    )


def _jpeg_2000(side: int, **options: Any) -> bytes:
    pixels = np.zeros((side, side), np.uint8)
    pixels[:64, :64] = _small()
    return encapsulated(jpeg_2000_frame(pixels, 8, **options), pixels, uid.JPEG2000Lossless)


def _code_blocks(width: int, height: int) -> bytes:
    """Return JPEG 2000 of the largest size, in blocks of 2**(2 + width) × 2**(2 + height)."""
    data = bytearray(_jpeg_2000(_side()))
    style = data.index(b"\xff\x52") + 10
    data[style : style + 2] = bytes((width, height))
    return bytes(data)


def _many_layers() -> bytes:
    data = bytearray(_jpeg_2000(_side()))
    layers = data.index(b"\xff\x52") + 6
    data[layers : layers + 2] = b"\xff\xff"
    return bytes(data)


def _encoded(frame: Callable[[NDArray[Any]], bytes], syntax: str, dtype: type) -> bytes:
    pixels = _square(dtype=dtype)
    return encapsulated(frame(pixels), pixels, syntax)


HOSTILE: Final[Mapping[str, Callable[[], bytes]]] = {
    # Fill bytes
    "fill-in-a-scan": lambda: jpeg(jpeg_frame(0xC0, 64, 64), jpeg_scan(), b"\xff" * ROOM + b"\0"),
    "fill-in-many-runs": lambda: jpeg(
        jpeg_frame(0xC0, 64, 64), jpeg_scan(), (b"\xff" * 999 + b"\0") * (ROOM // 1000)
    ),
    "fill-before-a-marker": lambda: jpeg(b"\xff" * ROOM, jpeg_frame(0xC0, 64, 64)),
    "fill-in-a-lossless-scan": lambda: lossless(64, 64, b"\xff" * ROOM + b"\0"),
    "fill-before-a-restart": lambda: lossless(
        64, 64, b"\xff" * ROOM + b"\xd0", jpeg_segment(0xDD, b"\0\x40")
    ),
    "fill-between-segments": lambda: jpeg(
        jpeg_frame(0xC0, 64, 64), (b"\xff" * 99 + b"\0") * (ROOM // 100), jpeg_scan(), bytes(99)
    ),
    # Tables
    "tables-of-lossless-jpeg": lambda: lossless(64, 64, bytes(512), _many_tables(bytes(17))),
    "tables-that-are-full": lambda: lossless(
        64, 64, bytes(512), _many_tables(bytes((1, *[0] * 15, 255)) + bytes(255))
    ),
    "tables-of-jpeg": lambda: jpeg(
        jpeg_frame(0xC0, 64, 64), _many_tables(bytes((0, 1, *[0] * 15, 0))), jpeg_scan(), bytes(99)
    ),
    "segments": lambda: jpeg(
        jpeg_frame(0xC0, 64, 64), jpeg_segment(0xFE, bytes(90)) * 9_900, jpeg_scan(), bytes(99)
    ),
    # Directories
    "directory-repeats-strips": lambda: _repeated(273),
    "directory-repeats-orientation": lambda: _repeated(274),
    "directory-shares-one-value": _shared,
    "exif-in-jpeg": lambda: _exif("JPEG"),
    "exif-in-png": lambda: _exif("PNG"),
    "exif-in-disorder": _exif_in_disorder,
    "directory-of-bigtiff": _big_directory,
    "strips-without-lengths": _without_lengths,
    "strips-share-lzw": lambda: _strips_that_share(5),
    "strips-share-deflate": lambda: _strips_that_share(8),
    "strips-share-packbits": lambda: _strips_that_share(32_773),
    "strips-of-one-line": lambda: _short_strips(80_000),
    "tile-larger-than-its-image": _one_large_tile,
    # Sequences
    "items-that-are-empty": lambda: _empty_items(0x00081115),
    "items-without-length": lambda: _open_items(0x00081115),
    "items-of-a-lut": lambda: _open_items(0x00283010),
    "items-in-items": lambda: _nested(27_000),
    "items-first-of-all": _first_is_a_sequence,
    "items-deflated": _inflating,
    "items-that-nobody-waits-for": lambda: _inserted((ITEM + bytes(4)) * (ROOM // 8)),
    "items-without-length-that-nobody-waits-for": lambda: _inserted(
        (ITEM + b"\xff\xff\xff\xff") * (ROOM // 8)
    ),
    "ends-that-nobody-waits-for": lambda: _inserted((ITEM_END + SEQUENCE_END) * (ROOM // 16)),
    "sequences-that-are-miscounted": lambda: _miscounted(ITEM + bytes(4) + bytes(30)),
    "sequences-that-have-no-end": lambda: _miscounted(ITEM + b"\xff\xff\xff\xff"),
    "sequences-that-hold-miscounted-ones": lambda: _miscounted(
        ITEM + b"\3\0\0\0" + element(0x00081115, b"SQ", ITEM + b"\5\0\0\0", 3) * 9
    ),
    "octets-without-marks": _octets_without_marks,
    "elements-that-are-small": _small_elements,
    "fragments-that-are-empty": _fragments,
    # Texts and lookup tables
    "text-of-many-windows": lambda: _long_text(0x00281050, b"1\\"),
    "text-of-one-number": lambda: _long_text(0x00281050, b"9"),
    "lut-of-colours": _palette,
    "lut-of-all-values": lambda: _deflated(
        _square(dtype=np.uint16),
        WindowCenter="30000",
        WindowWidth="60000",
        VOILUTFunction="SIGMOID",
    ),
    # Chunks
    "chunks-that-are-empty": lambda: (
        files.pillow(_small(), "PNG")[:33] + files.png_chunk(b"teXt", b"") * (ROOM // 12)
    ),
    "chunks-that-are-unsound": lambda: (
        files.pillow(_small(), "PNG")[:33] + b"\0\0\0\0eXIf\0\0\0\0" * 70_000 + bytes(12)
    ),
    "chunks-of-pixels": _pixels_in_many_chunks,
    # Dimensions
    "png-grey": lambda: files.pillow(_square(), "PNG"),
    "png-grey-16bit": lambda: files.pillow(_square(dtype=np.uint16), "PNG"),
    "png-rgb": lambda: files.pillow(_square(3), "PNG"),
    "png-rgba": lambda: files.pillow(
        np.maximum(_square(4), 255 * np.eye(4, dtype=np.uint8)[3]), "PNG"
    ),
    "png-rgb-16bit": _rgb_of_16_bits,
    "png-one-bit": lambda: _png((_side(), _side()), 1, 0, _side() // 8),
    "png-palette": lambda: _png(
        (_side(), _side()),
        8,
        3,
        _side(),
        before=[(b"PLTE", bytes(3) + b"\xff" * 765), (b"tRNS", b"\xff" * 9)],
    ),
    "png-interlaced": _interlaced,
    "png-thin": lambda: _png((32, _samples.get() // 32), 8, 0, 32),
    "png-that-claims-more": lambda: _png((60_000, 60_000 // 200), 8, 0, 60_000),
    "tiff-deflate": lambda: files.pillow(_square(), "TIFF", compression="tiff_adobe_deflate"),
    "tiff-deflate-16bit": lambda: files.pillow(
        _square(dtype=np.uint16), "TIFF", compression="tiff_adobe_deflate"
    ),
    "tiff-lzw-rgb": lambda: files.pillow(_square(3), "TIFF", compression="tiff_lzw"),
    "tiff-packbits": lambda: files.pillow(_square(), "TIFF", compression="packbits"),
    # Codecs
    "jpeg-grey": lambda: files.pillow(_square(), "JPEG", quality=30),
    "jpeg-rgb": lambda: files.pillow(_square(3), "JPEG", quality=30),
    "jpeg-progressive": lambda: _progressive(0),
    "jpeg-of-many-scans": lambda: _progressive(40),
    "jpeg-without-its-end": lambda: _without_end(_square()),
    "jpeg-rgb-without-its-end": lambda: _without_end(_square(3)),
    "jpeg-progressive-without-its-end": lambda: _without_end(_square(), progressive=True),
    "jpeg-rgb-progressive-without-its-end": lambda: _without_end(_square(3), progressive=True),
    "dicom-rle": lambda: _encoded(rle_frame, uid.RLELossless, np.uint8),
    "dicom-deflated": lambda: _deflated(_square()),
    "dicom-jpeg": lambda: _encoded(
        lambda p: files.pillow(p, "JPEG", quality=30), uid.JPEGBaseline8Bit, np.uint8
    ),
    "dicom-jpeg-ls": lambda: _encoded(lambda p: jpeg_ls_frame(p, 8), uid.JPEGLSLossless, np.uint8),
    "dicom-jpeg-ls-16bit": lambda: _encoded(
        lambda p: jpeg_ls_frame(p, 16), uid.JPEGLSLossless, np.uint16
    ),
    "dicom-jpeg-2000": lambda: _jpeg_2000(_side()),
    "dicom-jpeg-2000-blocks-of-4": lambda: _code_blocks(0, 0),
    "dicom-jpeg-2000-blocks-of-16": lambda: _code_blocks(2, 2),
    "dicom-jpeg-2000-blocks-of-4-by-64": lambda: _code_blocks(0, 4),
    "dicom-jpeg-2000-layers": _many_layers,
    **{
        f"dicom-jpeg-lossless-{predictor}": partial(_lossless_of_one_bit, 2820, 2820, predictor)
        for predictor in (1, 2, 4, 7)
    },
    **{
        f"dicom-jpeg-lossless-thin-{predictor}": partial(
            _lossless_of_one_bit, 122, 65_000, predictor
        )
        for predictor in (3, 5, 6, 7)
    },
    **{
        f"dicom-jpeg-lossless-flat-{predictor}": partial(
            _lossless_of_one_bit, 65_000, 122, predictor
        )
        for predictor in (5, 6, 7)
    },
    "dicom-jpeg-lossless-restarts": lambda: _lossless_restarts(1_900, 4_090),
    "dicom-jpeg-lossless-many-restarts": lambda: _lossless_restarts(32, 29_000),
}
