from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from pydicom import uid

from models.image.errors import CorruptFileError, UnsupportedColourError
from models.reading import jpeg2000, read
from tests.models.reading import files
from tests.models.reading.encodings import jpeg_2000_frame, pattern, scaled
from tests.models.reading.refusals import refused

PICTURE = pattern()
HEIGHT, WIDTH = PICTURE.shape
STREAM = jpeg_2000_frame(PICTURE, 8)
HTJ2K = (Path(__file__).parent / "data" / "pattern-htj2k.j2c").read_bytes()
SIZE = struct.pack(">8I", WIDTH, HEIGHT, 0, 0, WIDTH, HEIGHT, 0, 0)


def dicom(stream: bytes, syntax: str = uid.JPEG2000Lossless) -> bytes:
    return files.dicom(stream, syntax=syntax, encoded=True, Rows=HEIGHT, Columns=WIDTH)


def sized(*numbers: int) -> bytes:
    assert SIZE in STREAM
    return STREAM.replace(SIZE, struct.pack(">8I", *numbers), 1)


@pytest.mark.parametrize(
    ("syntax", "lossy"),
    [(uid.HTJ2KLossless, False), (uid.HTJ2KLosslessRPCL, False), (uid.HTJ2K, True)],
    ids=lambda value: value.name if isinstance(value, uid.UID) else "",
)
def test_high_throughput(syntax: str, lossy: bool) -> None:
    scan = read(dicom(HTJ2K, syntax))
    np.testing.assert_array_equal(scan.pixels, PICTURE)
    assert scan.lossy == lossy


def test_header() -> None:
    assert jpeg2000.parse(STREAM) == jpeg2000.Header(WIDTH, HEIGHT, 1, 8)
    twelve = jpeg_2000_frame(scaled(PICTURE, 12), 12)
    assert jpeg2000.parse(twelve) == jpeg2000.Header(WIDTH, HEIGHT, 1, 12)


def test_within_a_jp2_file() -> None:
    """Some writers put the whole file there; the codestream in it is as good."""
    np.testing.assert_array_equal(
        read(dicom(files.pillow(PICTURE, "JPEG2000", no_jp2=False))).pixels, PICTURE
    )


@pytest.mark.parametrize("padding", [b"", b"\0", b"\0\0\0", b"\xff", b"more"], ids=bytes.hex)
def test_padding_behind_the_end(padding: bytes) -> None:
    np.testing.assert_array_equal(read(dicom(STREAM + padding)).pixels, PICTURE)


def test_the_end_mark_may_be_missing() -> None:
    even = STREAM if len(STREAM) % 2 == 0 else jpeg_2000_frame(PICTURE[:, ::-1].copy(), 8)
    assert len(even) % 2 == 0
    np.testing.assert_array_equal(read(dicom(even[:-2])).pixels, read(dicom(even)).pixels)


SIZE_OF_TILE = STREAM.index(b"\xff\x90") + 6
OPENED = STREAM[:SIZE_OF_TILE] + bytes(4) + STREAM[SIZE_OF_TILE + 4 :]


def test_the_last_tile_may_leave_its_size_open() -> None:
    np.testing.assert_array_equal(read(dicom(OPENED)).pixels, PICTURE)


COD = STREAM.index(b"\xff\x52")
BROKEN = {
    "zeros": b"\0\0",
    "no end, and no size of the last tile": OPENED[:-2],
    "no end, and less": STREAM[:-4],
    "half": STREAM[: len(STREAM) // 2],
    "another beginning": b"\xff\xd8" + STREAM[2:],
    "only a size": STREAM[:45] + b"\xff\xd9",
    "a size of another length": STREAM[:5] + b"\x2a" + STREAM[6:],
    "no tile": STREAM[: STREAM.index(b"\xff\x90")] + b"\xff\xd9",
    "an offset": sized(WIDTH + 8, HEIGHT, 8, 0, WIDTH, HEIGHT, 8, 0),
    "tiles of no size": sized(WIDTH, HEIGHT, 0, 0, 0, 0, 0, 0),
    "more tiles than sense": sized(WIDTH, HEIGHT, 0, 0, 1, 1, 0, 0)[:6]
    + struct.pack(">8I", 65535, 65535, 0, 0, 16, 16, 0, 0)
    + STREAM[40:],
    "precincts of one pixel": STREAM[: COD + 2]
    + struct.pack(">H", 14)
    + bytes([STREAM[COD + 4] | 1])
    + STREAM[COD + 5 : COD + 9]
    + b"\x01"
    + STREAM[COD + 10 : COD + 14]
    + b"\x00\x00"
    + STREAM[COD + 14 :],
    "code blocks of sixteen samples": STREAM[: COD + 10] + b"\0\0" + STREAM[COD + 12 :],
    "code blocks of sixteen samples in one component": STREAM[:COD]
    + b"\xff\x53\x00\x09\x00\x00"
    + STREAM[COD + 9 : COD + 10]
    + b"\0\0"
    + STREAM[COD + 12 : COD + 14]
    + STREAM[COD:],
    "tiles that are missing": sized(WIDTH, HEIGHT, 0, 0, 33, HEIGHT, 0, 0),
    "a tile that is not the image's": STREAM.replace(
        b"\xff\x90\x00\x0a\x00\x00", b"\xff\x90\x00\x0a\x00\x01", 1
    ),
    "a tile part beyond the end": STREAM.replace(
        b"\xff\x90\x00\x0a\x00\x00\x00", b"\xff\x90\x00\x0a\x00\x00\x7f", 1
    ),
    "a larger image": sized(WIDTH * 2, HEIGHT, 0, 0, WIDTH * 2, HEIGHT, 0, 0),
    "a smaller image": sized(WIDTH - 1, HEIGHT, 0, 0, WIDTH, HEIGHT, 0, 0),
}


@pytest.mark.parametrize("stream", BROKEN.values(), ids=BROKEN)
def test_broken(stream: bytes) -> None:
    with refused(CorruptFileError):
        read(dicom(stream))


@pytest.mark.parametrize(
    ("component", "said"),
    [(b"\x25\x01\x01", "38 bits"), (b"\x07\x02\x01", "differ"), (b"\x07\x01\x02", "differ")],
    ids=["38 bits", "half the columns", "half the rows"],
)
def test_components_that_are_not_read(component: bytes, said: str) -> None:
    with refused(UnsupportedColourError, match=said):
        read(dicom(STREAM[:42] + component + STREAM[45:]))
