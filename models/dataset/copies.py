"""One scan as it comes out of another export: the copies on which answers must agree.

Each kind changes only what is no bone: size, crop, turn, compression, noise, grey scale, graphics.
``KINDS`` are the ones that agreement is measured on, each by itself; :func:`altered` mixes several
at random, for training and calibration.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from models.image.scan import Scan

Image8 = NDArray[np.uint8]
Alter = Callable[[Image8, np.random.Generator], Image8]

FILTERS: Final[Mapping[str, Image.Resampling]] = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
NOTES: Final = (
    "Patient: DOE JANE  1951",
    "Scan: 12.03.2019  A0312",
    "Lumbar spine L1-L4  DXA",
    "Physician: Dr. SMITH",
)


def noise(levels: int) -> Alter:
    """Add −``levels``…``levels`` grey levels to each pixel, evenly drawn."""

    def alter(image: Image8, rng: np.random.Generator) -> Image8:
        moved = image.astype(np.int16) + rng.integers(-levels, levels + 1, image.shape)
        return np.asarray(np.clip(moved, 0, 255), np.uint8)

    return alter


def jpeg(quality: int) -> Alter:
    def alter(image: Image8, _: np.random.Generator) -> Image8:
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "JPEG", quality=quality)
        return np.asarray(Image.open(buffer))

    return alter


def resized(factor: float, kernel: Image.Resampling = Image.Resampling.BILINEAR) -> Alter:
    def alter(image: Image8, _: np.random.Generator) -> Image8:
        height, width = image.shape
        size = (round(width * factor), round(height * factor))
        return np.asarray(Image.fromarray(image).resize(size, kernel))

    return alter


def cropped(pixels: int) -> Alter:
    def alter(image: Image8, _: np.random.Generator) -> Image8:
        return image[pixels:-pixels, pixels:-pixels]

    return alter


def bordered(share: float, grey: int) -> Alter:
    """Frame the image in ``grey``, each side ``share`` of the image wide."""

    def alter(image: Image8, _: np.random.Generator) -> Image8:
        return np.pad(image, round(share * min(image.shape)), constant_values=grey)

    return alter


def turned(degrees: float) -> Alter:
    def alter(image: Image8, _: np.random.Generator) -> Image8:
        return np.asarray(Image.fromarray(image).rotate(degrees, Image.Resampling.BILINEAR))

    return alter


def gamma(exponent: float) -> Alter:
    def alter(image: Image8, _: np.random.Generator) -> Image8:
        return np.rint(255 * (image / 255) ** exponent).astype(np.uint8)

    return alter


def mirrored(image: Image8, _: np.random.Generator) -> Image8:
    return image[:, ::-1]


def noted(lines: int, grey: int = 255, *, foot: bool = False) -> Alter:
    """Burn in ``lines`` of small text at the top or the foot."""

    def alter(image: Image8, _: np.random.Generator) -> Image8:
        picture = Image.fromarray(image)
        pen, size = ImageDraw.Draw(picture), max(9, image.shape[0] // 22)
        font, step = ImageFont.load_default(size=size), size + 3
        top = image.shape[0] - 3 - lines * step if foot else 3
        for number, line in enumerate(NOTES[:lines]):
            pen.text((4, top + number * step), line, fill=grey, font=font)
        return np.asarray(picture)

    return alter


KINDS: Final[Mapping[str, Alter]] = {
    "noise ±1": noise(1),
    "noise ±3": noise(3),
    **{f"JPEG {quality}": jpeg(quality) for quality in (95, 75, 50)},
    **{
        f"size ×{factor:g}, {name}": resized(factor, kernel)
        for factor in (0.75, 1.25, 1.5, 2, 4)
        for name, kernel in FILTERS.items()
    },
    "4 pixels cropped": cropped(4),
    "10 pixels cropped": cropped(10),
    "black border of 5 %": bordered(0.05, 0),
    "white border of 5 %": bordered(0.05, 255),
    **{f"turned by {degrees}°": turned(degrees) for degrees in (-5, -2, 2, 5)},
    "gamma 0.8": gamma(0.8),
    "gamma 1.2": gamma(1.2),
    "mirrored": mirrored,
    "one line of text": noted(1),
    "four lines of text": noted(4),
    "grey text at the foot": noted(1, 128, foot=True),
}
"""Kinds that any image can be given. Half the size is no kind: it is refused as too small."""


def deep(image: Image8) -> Scan:
    """Return ``image`` as a 12-bit DICOM of photometric interpretation MONOCHROME1 is read."""
    return Scan(np.rint(image * (4095 / 255)).astype(np.uint16), 12, "dicom")


def altered(image: Image8, rng: np.random.Generator) -> Image8:
    """Return a copy with one to four changes of kinds and sizes that are drawn anew."""
    changes: list[tuple[float, Alter]] = [
        (0.25, gamma(float(np.exp(rng.uniform(-0.3, 0.3))))),
        (0.15, mirrored),
        (0.4, turned(float(rng.uniform(-7, 7)))),
        (0.3, cropped(int(rng.integers(1, 12)))),
        (0.5, resized(float(np.exp(rng.uniform(-0.35, 1.1))), _kernel(rng))),
        (0.1, bordered(float(rng.uniform(0.01, 0.08)), int(rng.choice([0, 0, 255, 90])))),
        (0.15, noted(int(rng.integers(1, 5)), int(rng.integers(100, 256)), foot=_coin(rng))),
        (0.3, noise(int(rng.integers(1, 5)))),
        (0.3, jpeg(int(rng.integers(45, 97)))),
    ]
    for share, alter in changes:
        if rng.random() < share:
            image = alter(image, rng)
    return image


def _kernel(rng: np.random.Generator) -> Image.Resampling:
    return list(FILTERS.values())[int(rng.integers(len(FILTERS)))]


def _coin(rng: np.random.Generator) -> bool:
    return bool(rng.random() < 0.5)
