from __future__ import annotations

import struct

import numpy as np
import pytest

from models.errors import CorruptFileError
from models.reading import runlength
from tests.models.reading.encodings import pattern, rle_frame, wide
from tests.models.reading.refusals import refused

PICTURE = pattern()


def rle(*segments: bytes, count: int | None = None, offsets: tuple[int, ...] = ()) -> bytes:
    starts = offsets or tuple(64 + sum(map(len, segments[:i])) for i in range(len(segments)))
    header = struct.pack(f"<{1 + len(starts)}I", len(starts) if count is None else count, *starts)
    return header.ljust(64, b"\0") + b"".join(segments)


def test_runs_and_literals() -> None:
    """The example of Apple's Technical Note 1023, from which PackBits came."""
    packed = bytes.fromhex("FE AA 02 80 00 2A FD AA 03 80 00 2A 22 F7 AA")
    unpacked = bytes.fromhex("AA AA AA 80 00 2A AA AA AA AA 80 00 2A 22" + "AA" * 10)
    assert runlength.decode(rle(packed), 1, 24) == [unpacked]


def test_a_head_of_128_does_nothing() -> None:
    assert runlength.decode(rle(b"\x80\x00a\x80\xffb\x80"), 1, 3) == [b"abb"]


@pytest.mark.parametrize("pixels", [PICTURE, wide(PICTURE)], ids=["8 bits", "16 bits"])
def test_what_pydicom_writes(pixels: np.ndarray) -> None:
    planes = runlength.decode(rle_frame(pixels), pixels.dtype.itemsize, pixels.size)
    assert planes[0] == (pixels >> 8 * (pixels.dtype.itemsize - 1)).astype(np.uint8).tobytes()
    assert planes[-1] == (pixels & 255).astype(np.uint8).tobytes()


BROKEN = {
    "nothing": b"",
    "half a header": b"\1\0\0\0",
    "another number of segments": rle(b"\x00a", b"\x00a"),
    "more segments than there can be": rle(b"\x00a", count=16),
    "a segment within the header": rle(b"\x02abc", offsets=(60,)),
    "a segment beyond the end": rle(b"\x02abc", offsets=(9999,)),
    "too few bytes": rle(b"\x01ab"),
    "too many bytes": rle(b"\x03abcd"),
    "a literal cut short": rle(b"\x02ab"),
    "a run without its byte": rle(b"\xfe"),
    "an empty segment": rle(b""),
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_broken(data: bytes) -> None:
    with refused(CorruptFileError, match="RLE"):
        runlength.decode(data, 1, 3)


def test_segments_out_of_order() -> None:
    with refused(CorruptFileError, match="segments"):
        runlength.decode(rle(b"\x02abc", b"\x02abc", offsets=(68, 64)), 2, 3)
