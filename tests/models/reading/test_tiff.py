from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image

from models.image.errors import (
    CorruptFileError,
    MultipleFramesError,
    TooFewPixelsError,
    TooManyPixelsError,
    TransparencyError,
    UnsupportedColourError,
    UnsupportedFormatError,
)
from models.reading import read
from tests.models.reading import files
from tests.models.reading.encodings import pattern, rgb, wide, with_alpha
from tests.models.reading.refusals import refused

PICTURE = pattern()
HEIGHT, WIDTH = PICTURE.shape
TAGS: dict[int, Any] = files.tiff_tags(WIDTH, HEIGHT)
DATA = PICTURE.tobytes()
COLOUR = {258: [8, 8, 8], 262: 2, 277: 3}
ALPHA = {258: [8, 8, 8, 8], 262: 2, 277: 4, 338: 2}


def tiff(changes: dict[int, Any], data: bytes = DATA, **options: Any) -> bytes:
    """Return the picture as TIFF with some tags changed; None leaves one out."""
    tags = {tag: value for tag, value in (TAGS | changes).items() if value is not None}
    return files.tiff(data, tags, **options)


def packed(levels: np.ndarray, depth: int) -> bytes:
    bits = np.unpackbits(levels[..., np.newaxis], axis=2)[..., 8 - depth :]
    return b"".join(np.packbits(line.reshape(-1)).tobytes() for line in bits)


@pytest.mark.parametrize("white_is_zero", [False, True], ids=["black is zero", "white is zero"])
@pytest.mark.parametrize("depth", [1, 2, 4])
def test_few_levels_fill_the_whole_range(depth: int, white_is_zero: bool) -> None:
    levels = PICTURE >> (8 - depth)
    stored = (2**depth - 1) - levels if white_is_zero else levels
    scan = read(tiff({258: depth, 262: int(not white_is_zero)}, packed(stored, depth)))
    np.testing.assert_array_equal(scan.pixels, levels * (255 // (2**depth - 1)))


@pytest.mark.parametrize("order", ["<", ">"])
def test_colour_of_16_bits_keeps_its_upper_bytes(order: str) -> None:
    noise = np.random.default_rng(1).integers(0, 65536, (HEIGHT, WIDTH, 3), np.uint16)
    data = noise.astype(f"{order}u2").tobytes()
    scan = read(tiff({258: [16, 16, 16], 262: 2, 277: 3}, data, order=order))
    expected = read(files.pillow((noise >> 8).astype(np.uint8), "PNG"))
    np.testing.assert_array_equal(scan.pixels, expected.pixels)


def test_a_palette_is_expanded_exactly() -> None:
    colours = np.random.default_rng(3).integers(0, 256, (256, 3), np.uint8)
    table = (colours.T.reshape(-1).astype(int) * 257).tolist()
    expected = read(files.pillow(colours[PICTURE], "PNG"))
    np.testing.assert_array_equal(read(tiff({262: 3, 320: table})).pixels, expected.pixels)


LINES = [10, 10, 10, 10, 10, 3]
STRIPS: dict[int, Any] = {
    278: 10,
    273: [8 + WIDTH * sum(LINES[:index]) for index in range(len(LINES))],
    279: [WIDTH * count for count in LINES],
}
PACKED = [zlib.compress(PICTURE[top : top + 10].tobytes()) for top in range(0, HEIGHT, 10)]
DEFLATED: dict[int, Any] = {
    259: 8,
    278: 10,
    273: [8 + len(b"".join(PACKED[:index])) for index in range(len(PACKED))],
    279: list(map(len, PACKED)),
}


def retyped(tag: int, kind: int, data: bytes) -> bytes:
    """Return ``data``, little-endian, with another type for its one number of ``tag``."""
    start = data.index(struct.pack("<HHI", tag, 4, 1))
    return data[: start + 2] + struct.pack("<H", kind) + data[start + 4 :]


def without(tag: int, data: bytes) -> bytes:
    """Return ``data``, little-endian, with another tag in the place of ``tag``."""
    assert data.count(struct.pack("<HH", tag, 4)) == 1
    return data.replace(struct.pack("<HH", tag, 4), struct.pack("<HH", 65_000, 4))


LENIENT = {
    "no lengths": without(279, tiff({})),
    "no lengths of several strips": without(279, tiff(STRIPS)),
    "a length of the first of several": tiff(STRIPS | {279: WIDTH * 10}),
    "lengths of a type that there is not": retyped(279, 77, tiff({})),
    "lengths of zero": tiff(STRIPS | {279: [0] * 6}),
    "a length beyond the end": tiff({279: 0x7FFFFFFF}),
    "more lengths than strips": tiff(STRIPS | {279: [*STRIPS[279], 1, 2]}),
    "lengths with padding": tiff({279: len(DATA) + 9}, DATA + bytes(9)),
    "no lengths of a deflated strip": without(279, tiff({259: 8}, zlib.compress(DATA))),
    "no lengths of deflated strips": without(279, tiff(DEFLATED, b"".join(PACKED))),
    "no lines in the only strip": tiff({278: 0}),
    "more lines in a strip than there are": tiff({278: 0xFFFFFFFF}),
    "no number of lines in a strip": tiff({278: None}),
    "bits of samples that there are not": tiff({258: [8, 8, 8]}),
    "other bits of samples that there are not": tiff({258: [8, 16]}),
    "formats of samples that there are not": tiff({339: [1, 3]}),
    "samples of no format": tiff({339: 4}),
    "no number of samples": tiff({277: None}),
    "the same orientation twice": tiff({274: [1, 1]}),
    "kinds of samples that there are not": tiff({338: [0, 0]}),
    "a predictor of nothing": tiff({317: 3}),
    "a palette of nothing": tiff({320: [1, 2, 3]}),
    "a number of one byte": retyped(277, 1, tiff({})),
    "a signed number": retyped(277, 9, tiff({})),
    "a tag twice, with the same value": tiff({}).replace(
        struct.pack("<HHII", 277, 4, 1, 1), struct.pack("<HHII", 256, 4, 1, WIDTH)
    ),
    "a palette of a type that there is not": retyped(320, 77, tiff({320: 1})),
    "JPEG tables of a type that there is not": retyped(347, 77, tiff({347: 1})),
    "tile sizes beside strips": tiff({322: 16, 323: 16}),
    "a next page that is nowhere": tiff({}, following=0x7FFFFFFF),
    "a next page that is none": tiff({}, following=8),
}


@pytest.mark.parametrize("data", LENIENT.values(), ids=LENIENT)
def test_what_no_pixel_depends_on_may_be_broken(data: bytes) -> None:
    np.testing.assert_array_equal(read(data).pixels, PICTURE)


def test_tiles_without_lengths() -> None:
    tiles = np.pad(PICTURE, ((0, 11), (0, 30))).reshape(2, 32, 3, 32).swapaxes(1, 2).tobytes()
    tags = TAGS | {322: 32, 323: 32, 324: [8 + 1024 * index for index in range(6)]}
    np.testing.assert_array_equal(read(files.tiff(tiles, tags)).pixels, PICTURE)


def test_an_orientation_is_not_lost() -> None:
    turned = np.rot90(PICTURE, -1)
    for kind in (1, 4, 9):
        np.testing.assert_array_equal(read(retyped(274, kind, tiff({274: 6}))).pixels, turned)
    np.testing.assert_array_equal(read(tiff({274: [6, 6]})).pixels, turned)
    with refused(CorruptFileError, match="2 values for Orientation"):
        read(tiff({274: [1, 6]}))
    with refused(CorruptFileError, match="Orientation is not of a type"):
        read(retyped(274, 2, tiff({274: 6})))


def test_bytes_are_not_taken_for_bits() -> None:
    """Without BitsPerSample a sample has one bit; as many as there are bytes are no such thing."""
    bits = packed((PICTURE > 127).astype(np.uint8), 1)
    expected = (PICTURE > 127) * np.uint8(255)
    np.testing.assert_array_equal(read(tiff({258: None}, bits)).pixels, expected)
    with refused(UnsupportedColourError, match="bits of a sample, which means 1"):
        read(tiff({258: None}))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("compression", [1, 8])
def test_bigtiff(order: str, compression: int) -> None:
    data = zlib.compress(DATA) if compression == 8 else DATA
    tags: dict[int, Any] = TAGS | {259: compression, 273: 16, 279: len(data)}
    entries = b"".join(
        struct.pack(f"{order}HHQQ", tag, 16, 1, number) for tag, number in sorted(tags.items())
    )
    start = struct.pack(f"{order}HHQ", 8, 0, 16 + len(data))
    count = struct.pack(f"{order}Q", len(tags))
    head = b"II+\0" if order == "<" else b"MM\0+"
    whole = head + start + data + count + entries + bytes(8)
    np.testing.assert_array_equal(read(whole).pixels, PICTURE)
    with refused(CorruptFileError, match="directory lies outside"):
        read(whole[:-30])
    with refused(MultipleFramesError):
        read(whole[:-8] + struct.pack(f"{order}Q", 16 + len(data)))


def test_several_strips() -> None:
    np.testing.assert_array_equal(read(tiff(STRIPS)).pixels, PICTURE)
    np.testing.assert_array_equal(read(tiff(DEFLATED, b"".join(PACKED))).pixels, PICTURE)


@pytest.mark.parametrize("kind", ["tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_compressed_16_bits_with_predictor(kind: str) -> None:
    image = Image.fromarray(wide(PICTURE))
    data = files.saved(image, "TIFF", compression=kind, tiffinfo={317: 2} if kind[0] == "t" else {})
    np.testing.assert_array_equal(read(data).pixels, wide(PICTURE))


def test_what_is_not_needed_never_reaches_the_decoder() -> None:
    """Tags of wrong type and number, which Pillow warns of, and a name."""
    name = struct.unpack("<2I", files.PATIENT.encode())
    clutter = {270: name, 282: [1, 2, 3], 296: [9, 9], 34665: 0xFFFFFFFF, 330: [5, 5], 33550: [1]}
    np.testing.assert_array_equal(read(tiff(clutter)).pixels, PICTURE)


def test_a_directory_at_the_very_end() -> None:
    """Some writers leave out the link to a next page that there is not."""
    small = {tag: value for tag, value in TAGS.items() if tag != 278}
    np.testing.assert_array_equal(read(files.tiff(DATA, small)[:-4]).pixels, PICTURE)


class TestAlpha:
    def test_an_unused_sample_is_dropped(self) -> None:
        noise = np.dstack([rgb(PICTURE), PICTURE[::-1]])
        scan = read(tiff(ALPHA | {338: 0}, noise.tobytes()))
        np.testing.assert_array_equal(scan.pixels, PICTURE)

    @pytest.mark.parametrize("kind", [1, 2, None], ids=["premultiplied", "plain", "unsaid"])
    def test_opaque(self, kind: int | None) -> None:
        scan = read(tiff(ALPHA | {338: kind}, with_alpha(PICTURE).tobytes()))
        np.testing.assert_array_equal(scan.pixels, PICTURE)

    @pytest.mark.parametrize("kind", [1, 2, None], ids=["premultiplied", "plain", "unsaid"])
    def test_transparent(self, kind: int | None) -> None:
        pixels = with_alpha(PICTURE)
        pixels[20, 20, 3] = 254
        with refused(TransparencyError):
            read(tiff(ALPHA | {338: kind}, pixels.tobytes()))

    def test_grey(self) -> None:
        changes = {258: [8, 8], 277: 2, 338: 2}
        opaque = np.dstack([PICTURE, np.full_like(PICTURE, 255)])
        np.testing.assert_array_equal(read(tiff(changes, opaque.tobytes())).pixels, PICTURE)
        with refused(TransparencyError):
            read(tiff(changes, np.dstack([PICTURE, PICTURE]).tobytes()))


def test_several_pages() -> None:
    pages = [Image.fromarray(PICTURE)] * 2
    with refused(MultipleFramesError, match="more than one page"):
        read(files.saved(pages[0], "TIFF", save_all=True, append_images=pages[1:]))


COLOURS = {
    "cmyk": (files.pillow(rgb(PICTURE), "TIFF", "CMYK"), "CMYK"),
    "lab": (files.saved(Image.fromarray(rgb(PICTURE)).convert("LAB"), "TIFF"), "CIELab"),
    "ycbcr": (files.pillow(rgb(PICTURE), "TIFF", "YCbCr"), "YCbCr"),
    "a mask": (tiff({262: 4}), "mask"),
    "another space": (tiff({262: 32803}), "another colour space"),
    "32 bits": (files.pillow(PICTURE.astype(np.int32), "TIFF"), "32 bits"),
    "float": (files.pillow(PICTURE.astype(np.float32), "TIFF"), "32 bits"),
    "12 bits": (tiff({258: 12}), "12 bits"),
    "signed": (tiff({339: 2}), "signed"),
    "half floats": (tiff({258: 16, 339: 3}), "signed or floating"),
    "bits that differ": (tiff(COLOUR | {258: [8, 8, 4]}), "of 8 and of 4 bits; equal ones"),
    "bits of two of three": (tiff(COLOUR | {258: [8, 8]}), "tells the bits of 2"),
    "five samples": (tiff(COLOUR | {258: [8] * 5, 277: 5, 338: [0, 0]}), "5 samples"),
    "as many samples as there are numbers": (tiff({277: 0xFFFFFFFF}), "4294967295 samples"),
    "an unknown extra sample": (tiff(ALPHA | {338: 9}), "extra"),
}


@pytest.mark.parametrize(("data", "said"), COLOURS.values(), ids=COLOURS)
def test_colour_that_is_not_read(data: bytes, said: str) -> None:
    with refused(UnsupportedColourError, match=said):
        read(data)


FORMATS = {
    "fax": (tiff({259: 4}), "fax group 4; none, LZW"),
    "old jpeg": (tiff({259: 6}), "JPEG of the old kind"),
    "zstd": (tiff({259: 50000}), "Zstandard"),
    "nobody's": (tiff({259: 12345}), "method 12345"),
    "bits from the right": (tiff({266: 2}), "FillOrder is 2; 1 is read"),
    "a floating predictor": (tiff({259: 5, 317: 3}), "Predictor is 3; 1 and 2 are read"),
}


@pytest.mark.parametrize(("data", "said"), FORMATS.values(), ids=FORMATS)
def test_storage_that_is_not_read(data: bytes, said: str) -> None:
    with refused(UnsupportedFormatError, match=said):
        read(data)


@pytest.mark.parametrize(
    ("width", "height", "error"),
    [
        (0, 0, TooFewPixelsError),
        (1, 1, TooFewPixelsError),
        (100_000, 100_000, TooManyPixelsError),
        (2**32 - 1, 2**32 - 1, TooManyPixelsError),
    ],
)
def test_the_size_is_checked_before_anything_is_decoded(
    width: int, height: int, error: type[TooFewPixelsError | TooManyPixelsError]
) -> None:
    with refused(error, match=f"{width}×{height}"):
        read(tiff({256: width, 257: height, 278: height}))


WHOLE = tiff({})
BROKEN = {
    "only a signature": WHOLE[:4],
    "a directory outside the file": WHOLE[:4] + b"\xff\xff\xff\x7f" + WHOLE[8:],
    "an empty directory": b"II*\0\x08\0\0\0\0\0",
    "half the file": WHOLE[: len(WHOLE) // 2],
    "no width": tiff({256: None}),
    "two widths": tiff({256: [66, 66]}),
    "no colour": tiff({262: None}),
    "strips outside the file": tiff({273: 10_000_000}),
    "a strip shorter than its lines": tiff({279: 100}),
    "too few strips": tiff({278: 10}),
    "strips of no lines": tiff({278: 0, 273: [8, 9], 279: [99, 99]}),
    "strips that share their data": tiff({273: [8] * 53, 278: 1, 279: [len(DATA)] * 53}),
    "a tag that stands twice": tiff({}).replace(
        struct.pack("<HHII", 277, 4, 1, 1), struct.pack("<HHII", 256, 4, 1, 67)
    ),
    "strips and tiles": tiff({273: 8, 279: len(DATA), 322: 16, 323: 16, 324: [8], 325: [8]}),
    "too few tiles": files.tiff(DATA, TAGS | {322: 16, 323: 16, 324: [8], 325: [256]}),
    "tiles of no size": files.tiff(DATA, TAGS | {322: 0, 323: 0, 324: [8], 325: [256]}),
    "tiles far larger than the image": files.tiff(
        DATA, TAGS | {259: 8, 322: 65520, 323: 65520, 324: [8], 325: [256]}
    ),
    "values outside the file": tiff({}).replace(
        struct.pack("<HHII", 277, 4, 1, 1), struct.pack("<HHII", 277, 4, 99, 2**31)
    ),
    "more values than memory": tiff({}).replace(
        struct.pack("<HHII", 277, 4, 1, 1), struct.pack("<HHII", 277, 4, 2**32 - 1, 8)
    ),
    "text for a number": tiff({}).replace(
        struct.pack("<HHI", 277, 4, 1), struct.pack("<HHI", 277, 2, 1)
    ),
    "a palette image without palette": tiff({262: 3}),
    "a palette that is too short": tiff({262: 3, 320: [0] * 30}),
    "deflated pixels that are not": tiff({259: 8}),
    "deflated pixels that are too few": tiff({259: 8}, zlib.compress(DATA[:99])),
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_broken(data: bytes) -> None:
    with refused(CorruptFileError):
        read(data)


def test_deflated_pixels_without_end_stop_at_the_strip() -> None:
    bomb = zlib.compress(DATA + bytes(100_000_000), 9)
    np.testing.assert_array_equal(read(tiff({259: 8}, bomb)).pixels, PICTURE)
