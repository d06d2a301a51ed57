"""What gets uploaded by mistake: drawn rather than collected."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from models.image.recipe import SIDE

Image8 = NDArray[np.uint8]


def noise(rng: np.random.Generator) -> Image8:
    return rng.integers(0, 256, (SIDE, SIDE), dtype=np.uint8)


def blobs(rng: np.random.Generator) -> Image8:
    """Return smooth shapes of any size, as a photograph out of focus has them."""
    coarse = rng.integers(0, 256, (SIDE, SIDE), dtype=np.uint8)
    blurred = Image.fromarray(coarse).filter(ImageFilter.GaussianBlur(rng.uniform(4, 30)))
    levels = np.asarray(blurred, np.float32)
    drawn: Image8 = (255 * (levels - levels.min()) / max(np.ptp(levels), 1.0)).astype(np.uint8)
    return drawn


def page(rng: np.random.Generator) -> Image8:
    """Return lines of text, dark on white or white on dark."""
    sheet = Image.new("L", (SIDE, SIDE), 255)
    draw = ImageDraw.Draw(sheet)
    step = int(rng.integers(9, 20))
    for top in range(int(rng.integers(2, 16)), SIDE, step):
        draw.text((int(rng.integers(2, 30)), top), _words(rng, 5, 40), fill=0)
    image = np.asarray(sheet)
    return image if rng.random() < 0.7 else 255 - image


def scene(rng: np.random.Generator) -> Image8:
    """Return overlapping rectangles and ellipses over a gradient."""
    top_level, bottom_level = (int(level) for level in rng.integers(0, 256, 2))
    ramp = np.linspace(top_level, bottom_level, SIDE)
    drawn = Image.fromarray(np.broadcast_to(ramp[:, None], (SIDE, SIDE)).astype(np.uint8))
    draw = ImageDraw.Draw(drawn)
    for _ in range(int(rng.integers(3, 14))):
        left, top = rng.integers(-40, SIDE, 2)
        width, height = rng.integers(15, 160, 2)
        shape = draw.rectangle if rng.random() < 0.5 else draw.ellipse
        box = [int(left), int(top), int(left + width), int(top + height)]
        shape(box, fill=int(rng.integers(0, 256)))
    image = np.asarray(drawn, np.float32) + rng.normal(0, rng.uniform(1, 12), (SIDE, SIDE))
    return np.clip(image, 0, 255).astype(np.uint8)


INVENTIONS: Final[Mapping[str, Callable[[np.random.Generator], Image8]]] = {
    "noise": noise,
    "blobs": blobs,
    "text": page,
    "scene": scene,
}


def sheet(scan: Image8, rng: np.random.Generator, *, dark: float = 0.2) -> Image8:
    """Return a report page with ``scan`` set into it, title, table and reference curve beside.

    ``dark`` is the share of pages with light letters on black. (700–1000 rows, 560–1000 columns)
    uint8, as a colour page becomes when read.
    """
    width, height = int(rng.integers(560, 1000)), int(rng.integers(700, 1000))
    ground, letters = (0, 255) if rng.random() < dark else (int(rng.integers(235, 256)), 0)
    drawn = Image.new("L", (width, height), ground)
    draw = ImageDraw.Draw(drawn)
    wide = round(width * rng.uniform(0.28, 0.6))
    high = round(height * rng.uniform(0.3, 0.62))
    left = round(rng.uniform(0.02, 0.96 - wide / width) * width)
    top = round(rng.uniform(0.1, 0.94 - high / height) * height)
    font = ImageFont.load_default(size=float(rng.uniform(11, 20)))
    step = round(rng.uniform(15, 28))
    for row in range(8, height - step, step):
        if rng.random() < 0.72:
            at = (round(rng.uniform(0.02, 0.5) * width), row)
            draw.text(at, _words(rng, 8, 60), fill=letters, font=font)
    if rng.random() < 0.7:
        _curve(draw, rng, (width, height), letters)
    _table(draw, rng, (width, height), letters)
    draw.rectangle([left - 4, top - 4, left + wide + 4, top + high + 4], fill=ground)
    drawn.paste(Image.fromarray(scan).resize((wide, high)), (left, top))
    return np.asarray(drawn)


def _curve(
    draw: ImageDraw.ImageDraw, rng: np.random.Generator, size: tuple[int, int], ink: int
) -> None:
    """Draw T-score bands against age, as three tones of grey."""
    left, top = round(rng.uniform(0.05, 0.6) * size[0]), round(rng.uniform(0.1, 0.6) * size[1])
    wide, high = round(0.33 * size[0]), round(0.24 * size[1])
    for band, tone in enumerate(rng.integers(90, 230, 3)):
        y = top + band * high // 3
        draw.polygon(
            [
                (left, y),
                (left + wide, y + high // 5),
                (left + wide, top + high),
                (left, top + high),
            ],
            fill=int(tone),
        )
    draw.rectangle([left, top, left + wide, top + high], outline=ink)


def _table(
    draw: ImageDraw.ImageDraw, rng: np.random.Generator, size: tuple[int, int], ink: int
) -> None:
    left, top = round(rng.uniform(0.03, 0.5) * size[0]), round(rng.uniform(0.6, 0.8) * size[1])
    for row in range(6):
        y = top + row * 18
        draw.line([(left, y), (left + round(0.45 * size[0]), y)], fill=ink)
        for column in range(4):
            text = f"{rng.uniform(-4, 20):.2f}"
            draw.text((left + column * round(0.11 * size[0]), y + 3), text, fill=ink)


def _words(rng: np.random.Generator, least: int, most: int) -> str:
    letters = rng.integers(97, 123, int(rng.integers(least, most))).astype(np.uint8)
    return "".join(chr(c) if rng.random() > 0.15 else " " for c in letters)
