"""JPEG lossless (ITU-T T.81 annex H) written plainly: every predictor, depth, shift and restart.

No encoder at hand offers them all. That it writes JPEG is checked against libjpeg-turbo.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CODE_LENGTH = 5
"""All seventeen categories get a code of five bits, in their order."""


def encode(
    pixels: NDArray[np.uint8] | NDArray[np.uint16],
    bits: int,
    *,
    predictor: int = 1,
    restart_rows: int = 0,
    shift: int = 0,
    interleaved: bool = True,
) -> bytes:
    """Return (height, width) or (height, width, 3) unsigned ``pixels`` of ``bits`` as JPEG."""
    planes = np.atleast_3d(pixels).astype(np.int32) >> shift
    height, width, count = planes.shape
    rows = restart_rows or height
    frame = [bits, *divmod(height, 256), *divmod(width, 256), count]
    for component in range(1, count + 1):
        frame += [component, 0x11, 0]
    out = b"\xff\xd8" + _segment(0xC3, bytes(frame))
    counts = [17 if length == CODE_LENGTH else 0 for length in range(1, 17)]
    out += _segment(0xC4, bytes([0, *counts, *range(17)]))
    if restart_rows:
        out += _segment(0xDD, (restart_rows * width).to_bytes(2, "big"))
    scans = [list(range(count))] if interleaved else [[component] for component in range(count)]
    for scan in scans:
        header = [len(scan)]
        for component in scan:
            header += [component + 1, 0]
        out += _segment(0xDA, bytes([*header, predictor, 0, shift]))
        for index, top in enumerate(range(0, height, rows)):
            if index:
                out += bytes([0xFF, 0xD0 + (index - 1) % 8])
            strip = planes[top : top + rows][..., scan]
            out += _entropy(strip, predictor, 1 << bits - shift - 1)
    return out + b"\xff\xd9"


def _segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2, "big") + body


def _entropy(planes: NDArray[np.int32], predictor: int, first: int) -> bytes:
    left, above = np.roll(planes, 1, axis=1), np.roll(planes, 1, axis=0)
    corner = np.roll(left, 1, axis=0)
    predicted = {
        1: left,
        2: above,
        3: corner,
        4: left + above - corner,
        5: left + ((above - corner) >> 1),
        6: above + ((left - corner) >> 1),
        7: (left + above) >> 1,
    }[predictor].copy()
    predicted[0] = left[0]
    predicted[:, 0] = above[:, 0]
    predicted[0, 0] = first
    # Modulo 2**16, as -32767 … 32768.
    differences = 32768 - (32768 - (planes - predicted)) % 65536
    written = "".join(code(int(difference)) for difference in differences.reshape(-1))
    written += "1" * (-len(written) % 8)
    return int(written, 2).to_bytes(len(written) // 8, "big").replace(b"\xff", b"\xff\x00")


def code(difference: int) -> str:
    category = 16 if difference == 32768 else abs(difference).bit_length()
    code = f"{category:0{CODE_LENGTH}b}"
    if category in (0, 16):
        return code
    extra = difference if difference > 0 else difference + (1 << category) - 1
    return code + f"{extra:0{category}b}"
