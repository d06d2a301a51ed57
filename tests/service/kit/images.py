"""Pictures that the gate accepts, and some that it does not."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models import phantom
from models.image import recipe
from models.image.recipe import Canonical
from models.phantom import Artefact
from models.reading import read
from models.vertebrae.nominal import nominal

HEIGHT, WIDTH = 320, 256


@cache
def picture() -> NDArray[np.uint8]:
    """Return a phantom: (HEIGHT, WIDTH) uint8."""
    drawn = phantom.draw(np.random.default_rng(5), artefact=Artefact.NONE).image
    return np.asarray(Image.fromarray(drawn).resize((WIDTH, HEIGHT)))


def png(pixels: NDArray[np.uint8] | None = None) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture() if pixels is None else pixels).save(buffer, "PNG")
    return buffer.getvalue()


@cache
def canonical() -> Canonical:
    """Return :func:`png` as models see it, the toys' vertebrae runner having outlined it."""
    return recipe.prepare(read(png()), nominal(), np.zeros((recipe.SIDE, recipe.SIDE), bool))


def waves(height: int, width: int) -> NDArray[np.uint8]:
    """Return a picture of long waves, with edges that are no frame's: (height, width) uint8."""
    y, x = np.mgrid[0:height, 0:width]
    grey = np.rint(127.5 + 80 * np.sin(x / 7) + 47 * np.cos(y / 5))
    return grey.clip(0, 255).astype(np.uint8)


def unusable() -> bytes:
    """Readable, but far too narrow for a lumbar field."""
    return png(waves(800, 160))


def no_spine() -> bytes:
    """Readable and well exposed, but a picture of waves."""
    return png(waves(HEIGHT, WIDTH))
