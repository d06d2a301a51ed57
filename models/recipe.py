"""The one way from a scan to the image that every model sees.

Training, evaluation, the front and the runners all come here; a model is stored with the recipe's
``NAME`` and refuses images made by another. Change a pixel of the outcome and the name must change
with it: ``tests/models/test_recipe.py`` holds exact values.

``dxa-224/1``:

1. Deep grey levels are rounded to 8 bits where the image fills at least a quarter of its range, so
   that a 12-bit export and an 8-bit export of one scan are the same image to the last pixel. (The
   forest answers in steps: a hundredth of a grey level can cross one.) A fainter image keeps its
   depth.
2. Grey levels are stretched linearly so that the 0.5th percentile becomes black and the 99.5th
   white. Exports of one scanner differ in window and bit depth, not in what lies between.
3. The image is resized to 224×224 with Pillow's area-aware bilinear filter, *without* keeping the
   aspect ratio. The scans the models learnt from came so: a vertebra there is twice as wide as the
   step to the next, where anatomy has 1.2–1.4 (DOMAIN: bodies 40–47 mm wide, 36 mm apart).
   Letterboxing would show the models a shape of spine that they have never met.
4. Values are rounded to uint8, one channel.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

from models.scan import Scan

NAME: Final = "dxa-224/1"
SIDE: Final = 224
BLACK_PERCENTILE: Final = 0.5
WHITE_PERCENTILE: Final = 99.5
WELL_FILLED: Final = 0.25
"""Share of the display range between those percentiles from which on 8 bits say enough."""

_BLOCK: Final = 1 << 20

BYTES: Final = SIDE * SIDE
"""Of one canonical image's pixels."""

Canonical = NDArray[np.uint8]
"""(224, 224) uint8, made by :func:`prepare`."""


class RecipeError(ValueError):
    """The bytes are not a canonical image made by this recipe."""


def prepare(scan: Scan) -> Canonical:
    """Return the canonical image of ``scan``: (224, 224) uint8."""
    pixels = _eight_bits(scan)
    black, white = grey_range(pixels)
    # A constant image has no range; the reader refuses it, and here it stays all black.
    span = max(white - black, 1)
    # In place: a large scan is not held several times as floating point.
    stretched = pixels.astype(np.float32)
    stretched -= np.float32(black)
    stretched *= np.float32(255.0 / span)
    image = Image.fromarray(np.clip(stretched, 0.0, 255.0, out=stretched))
    del stretched
    if image.size != (SIDE, SIDE):
        image = image.resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    canonical: Canonical = np.clip(np.rint(np.asarray(image)), 0, 255).astype(np.uint8)
    return canonical


def _eight_bits(scan: Scan) -> NDArray[np.uint8] | NDArray[np.uint16]:
    if scan.bits <= 8:
        return scan.pixels
    full = 2**scan.bits - 1
    black, white = grey_range(scan.pixels)
    if white - black < WELL_FILLED * full:
        return scan.pixels
    scaled = scan.pixels * np.float32(255 / full)
    rounded: NDArray[np.uint8] = np.rint(scaled, out=scaled).astype(np.uint8)
    return rounded


def grey_range(pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> tuple[int, int]:
    """Return the grey levels at the recipe's two percentiles of ``pixels`` (nearest rank)."""
    cumulative = np.cumsum(_histogram(pixels.ravel()))
    total = int(cumulative[-1])
    black = int(np.searchsorted(cumulative, total * BLACK_PERCENTILE / 100.0, side="right"))
    white = int(np.searchsorted(cumulative, total * WHITE_PERCENTILE / 100.0, side="left"))
    return black, white


def _histogram(values: NDArray[np.uint8] | NDArray[np.uint16]) -> NDArray[np.int64]:
    """Return how often each value occurs; in blocks, since numpy makes eight bytes of each."""
    counts = np.zeros(1 << 8 * values.itemsize, np.int64)
    for start in range(0, len(values), _BLOCK):
        counts += np.bincount(values[start : start + _BLOCK], minlength=len(counts))
    return counts


def encode(canonical: Canonical) -> bytes:
    """Return ``canonical`` as a lossless PNG that names the recipe in its text chunk."""
    info = PngInfo()
    info.add_text("recipe", NAME)
    buffer = io.BytesIO()
    # Scans hold few repeats to look for: a quarter faster than level 1, and a tenth smaller.
    Image.fromarray(canonical).save(buffer, "PNG", pnginfo=info, compress_type=zlib.Z_RLE)
    return buffer.getvalue()


def decode(data: bytes) -> Canonical:
    """Return the canonical image in ``data``, a PNG made by :func:`encode`.

    Raises :class:`RecipeError` when it is no PNG, has another size, depth or channel count, or was
    made by another recipe: scoring it would be a confident answer from a broken path.
    """
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            if image.size != (SIDE, SIDE) or image.mode != "L":
                raise RecipeError(
                    f"canonical image is {image.width}×{image.height} {image.mode}; "
                    f"{SIDE}×{SIDE} L is allowed"
                )
            # Text chunks may stand behind the pixels, so the pixels are read first.
            canonical = np.asarray(image).copy()
            made_by = getattr(image, "text", {}).get("recipe")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        if isinstance(error, RecipeError):
            raise
        raise RecipeError("canonical image is not a readable PNG") from error
    if made_by != NAME:
        raise RecipeError(f"canonical image was made by another recipe; {NAME} is allowed")
    return canonical


def pack(images: Sequence[Canonical]) -> bytes:
    """Return the pixels of ``images`` one after another, for a runner."""
    return b"".join(np.ascontiguousarray(image).tobytes() for image in images)


def unpack(data: bytes, made_by: str, most: int) -> NDArray[np.uint8]:
    """Return the images that :func:`pack` joined, (n, 224, 224) uint8, read-only.

    Raises :class:`RecipeError` when they are not 1…``most`` whole images or were not
    ``made_by`` this recipe.
    """
    if made_by != NAME:
        raise RecipeError(f"images were made by another recipe or by none; {NAME} is allowed")
    count, rest = divmod(len(data), BYTES)
    if rest or not 1 <= count <= most:
        raise RecipeError(
            f"{len(data)} bytes came; 1 to {most} images of {BYTES} bytes are allowed"
        )
    return np.frombuffer(data, np.uint8).reshape(count, SIDE, SIDE)
