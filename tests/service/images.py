"""Pictures that the gate accepts, and one that it does not."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.models.reading.encodings import pattern

HEIGHT, WIDTH = 320, 256


def picture() -> NDArray[np.uint8]:
    return pattern(HEIGHT, WIDTH)


def png(pixels: NDArray[np.uint8] | None = None) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture() if pixels is None else pixels).save(buffer, "PNG")
    return buffer.getvalue()


def unusable() -> bytes:
    """Readable, but far too narrow for a lumbar field."""
    return png(pattern(400, 100))
