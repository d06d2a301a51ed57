"""A mask of a frame as text: base64 of its packed bits."""

from __future__ import annotations

import base64

import numpy as np
from numpy.typing import NDArray

from models.image.recipe import SIDE


def encode(mask: NDArray[np.bool_]) -> str:
    """Return ``mask`` (224, 224) as base64 of its packed bits."""
    return base64.b64encode(np.packbits(mask).tobytes()).decode("ascii")


def decode(text: str) -> NDArray[np.bool_]:
    """Return the mask that :func:`encode` wrote. Raises ValueError for anything else."""
    try:
        packed = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise ValueError("the mask is not base64") from error
    if len(packed) != SIDE * SIDE // 8:
        raise ValueError(f"the mask has {len(packed)} bytes; {SIDE * SIDE // 8} are allowed")
    return np.unpackbits(np.frombuffer(packed, np.uint8)).reshape(SIDE, SIDE).astype(bool)
