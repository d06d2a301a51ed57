"""Pictures of CT as PNG: a sagittal overview to choose a slice by, and a slice with a region."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.attenuation.region import Ellipse

WINDOW: Final = (-100.0, 500.0)
"""Hounsfield units that are black and white: trabecular bone is in the middle."""
TALLEST: Final = 900
"""Pixels of the overview."""


def shown(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Return Hounsfield units as grey levels of :data:`WINDOW`."""
    low, high = WINDOW
    grey: NDArray[np.uint8] = np.rint(np.clip((values - low) / (high - low), 0, 1) * 255).astype(
        np.uint8
    )
    return grey


def sagittal(
    profiles: NDArray[np.floating], positions: Sequence[float], row_spacing: float
) -> bytes:
    """Return the overview, head up: each slice takes as many rows, as evenly as its number.

    ``profiles`` is (slices, rows) in Hounsfield units; its rows stand for millimetres as far as
    slices are apart evenly, and a click on it means a slice whatever they are.
    """
    count = len(positions)
    step = (positions[0] - positions[-1]) / (count - 1) if count > 1 else row_spacing
    each = max(1, min(round(step / row_spacing), TALLEST // count or 1))
    return png(shown(np.repeat(profiles, each, axis=0)))


def drawn(
    stored: NDArray[np.integer], rescale: tuple[float, float], region: Ellipse | None
) -> bytes:
    """Return a slice as a picture, with the outline of ``region`` in white on black."""
    grey = shown(stored * rescale[0] + rescale[1])
    if region is not None:
        inner, outer = (
            Ellipse(
                x=region.x,
                y=region.y,
                radius_x=region.radius_x + more,
                radius_y=region.radius_y + more,
            )
            for more in (1.0, 2.0)
        )
        y, x = np.ogrid[: grey.shape[0], : grey.shape[1]]

        def within(one: Ellipse) -> NDArray[np.bool_]:
            return ((x - one.x) / one.radius_x) ** 2 + ((y - one.y) / one.radius_y) ** 2 <= 1.0

        inside = within(region)
        grey[within(outer) & ~within(inner)] = 0
        grey[within(inner) & ~inside] = 255
    return png(grey)


def png(grey: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(grey, "L").save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def size(picture: bytes) -> tuple[int, int]:
    """Return width and height of a PNG that was made here."""
    with Image.open(io.BytesIO(picture)) as opened:
        return opened.size
