"""Damage: whatever is done to a file, it is a scan or a refusal, and soon."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

import numpy as np
import pytest

from models.image.errors import ScanError
from models.reading import Limits, read
from tests.models.reading.encodings import ENCODINGS, LOSSY, pattern

LIMITS = Limits(max_samples=1_000_000)
SECONDS = 3.0
"""Of one processor, for any of these small files; the slowest takes a few hundredths."""

FILES = {name: encode(pattern()) for name, encode in ENCODINGS.items()}


def survives(data: bytes) -> bool:
    """Tell whether ``data`` is a scan; anything but that or a refusal fails the test."""
    started = time.process_time()
    try:
        read(data, LIMITS)
    except ScanError:
        return False
    finally:
        assert time.process_time() - started < SECONDS
    return True


def flipped(data: bytes, seed: str, count: int) -> Iterator[bytes]:
    """Yield ``data`` with a few bytes changed: anywhere, in its head, or where its pixels begin."""
    chance = random.Random(seed)  # noqa: S311 - nobody has to guess it
    pixels = max(data.find(b"\xe0\x7f\x10\x00"), 0)
    regions = ((0, len(data)), (0, min(400, len(data))), (pixels, min(pixels + 160, len(data))))
    for turn in range(count):
        damaged = bytearray(data)
        for _ in range(chance.choice((1, 1, 2, 8))):
            position = chance.randrange(*regions[turn % 3])
            damaged[position] = chance.choice((0, 0x7F, 0x80, 0xFF, chance.randrange(256)))
        yield bytes(damaged)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_flipped_bytes(encoding: str) -> None:
    for damaged in flipped(FILES[encoding], encoding, 60):
        survives(damaged)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_truncated(encoding: str) -> None:
    """What is cut off a file may be what no pixel depends on; nothing is made up for it."""
    data = FILES[encoding]
    whole = read(data, LIMITS).pixels
    cuts = {*range(0, 200, 13), *range(0, len(data), max(1, len(data) // 40)), len(data) - 9}
    for cut in sorted(cuts - {len(data)}):
        if survives(data[:cut]):
            np.testing.assert_array_equal(read(data[:cut], LIMITS).pixels, whole)


@pytest.mark.parametrize(
    "encoding", [name for name in ENCODINGS if name.startswith("dicom-jpeg") and name not in LOSSY]
)
def test_a_truncated_codestream_inside_a_whole_file(encoding: str) -> None:
    """The DICOM wrapping is in order, the picture in it ends halfway."""
    data = FILES[encoding]
    start = data.rfind(b"\xfe\xff\x00\xe0") + 8
    length = int.from_bytes(data[start - 4 : start], "little")
    for part in (0.1, 0.5, 0.8, 0.95):
        kept = 2 * int(length * part / 2)
        shortened = (
            data[: start - 4]
            + kept.to_bytes(4, "little")
            + data[start : start + kept]
            + data[start + length :]
        )
        assert not survives(shortened)
