"""Graphics as scanners and viewers draw them on images: what the network must learn to see."""

from __future__ import annotations

import string
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from models.image.recipe import SIDE
from models.vertebrae.geometry import LEVELS

INKS: Final = (255, 226, 230, 255, 200, 160, 120)
"""Grey levels of white, yellow and dimmer lines in a greyscale export."""

LETTERS: Final = tuple(string.ascii_letters + string.digits + ":./-+()" + " " * 12)

SIZES: Final = range(7, 19)
"""Pixels of a letter's height in a frame."""

Image8 = NDArray[np.uint8]


def draw(image: Image8, levels: Image8, rng: np.random.Generator) -> Image8:
    """Return ``image`` (224, 224) with some graphics: region of interest, shapes, text.

    ``levels`` is 1–4 in L1–L4, along which a region of interest is drawn.
    """
    picture = Image.fromarray(image)
    if rng.random() < 0.42:
        picture = region(picture, levels, rng)
    if rng.random() < 0.3:
        _shapes(picture, rng)
    if rng.random() < 0.4:
        text(picture, rng)
    return np.asarray(picture)


def bordered(
    image: Image8, levels: Image8, mask: NDArray[np.bool_], rng: np.random.Generator
) -> tuple[Image8, Image8, NDArray[np.bool_]]:
    """Return the three in a frame of one grey level, 2 to 18 pixels on most sides."""
    most = int(rng.integers(2, 19))
    left, right, top, bottom = (
        int(rng.integers(0, most + 1)) if rng.random() < 0.3 else most for _ in range(4)
    )
    size = (SIDE - left - right, SIDE - top - bottom)

    def put(values: Image8, ground: int, resample: Image.Resampling) -> Image8:
        whole = np.full((SIDE, SIDE), ground, np.uint8)
        shrunk = np.asarray(Image.fromarray(values).resize(size, resample))
        whole[top : SIDE - bottom, left : SIDE - right] = shrunk
        return whole

    ground = int(rng.choice([0, 0, 255, 128, 40]))
    nearest = Image.Resampling.NEAREST
    return (
        put(image, ground, Image.Resampling.BILINEAR),
        put(levels, 0, nearest),
        put(mask.astype(np.uint8), 1, nearest) > 0,
    )


def region(picture: Image.Image, levels: Image8, rng: np.random.Generator) -> Image.Image:
    """Return ``picture`` with what a densitometer draws: bone edge, lines, box, names."""
    lumbar = np.where(levels <= len(LEVELS), levels, 0)
    rows, columns = np.nonzero(lumbar)
    if rows.size < 50:
        return picture
    ink, width = _ink(rng), int(rng.choice([1, 1, 1, 2, 3]))
    moved = (0, 0) if rng.random() < 0.8 else tuple(int(v) for v in rng.integers(-4, 5, 2))
    if rng.random() < 0.85:
        pixels = np.asarray(picture).copy()
        pixels[edge(np.roll(lumbar, moved, (0, 1)), width)] = ink
        picture = Image.fromarray(pixels)
    pen = ImageDraw.Draw(picture)
    if rng.random() < 0.9:
        left, right = columns.min() - rng.uniform(5, 55), columns.max() + rng.uniform(5, 55)
        lines = [float(rows.min())]
        for number in range(1, len(LEVELS) + 1):
            of = np.flatnonzero((lumbar == number).any(1))
            lines.append(float(of[-1]) if of.size else lines[-1])
        lines = [line + moved[0] for line in lines]
        for line in lines:
            lean = rng.uniform(-3, 3) if rng.random() < 0.2 else 0
            pen.line([(left, line - lean), (right, line + lean)], fill=ink, width=width)
        if rng.random() < 0.85:
            for side in (left, right):
                pen.line([(side, lines[0]), (side, lines[-1])], fill=ink, width=width)
        if rng.random() < 0.85:
            font = _font(int(rng.integers(SIZES.start, SIZES.start + 6)))
            side = left + 3 if rng.random() < 0.7 else right - 18
            for name, line in zip(LEVELS, lines[:-1], strict=True):
                at = (side, line + 2)
                if rng.random() < 0.7:
                    pen.rectangle(pen.textbbox(at, name, font=font), fill=0)
                pen.text(at, name, fill=ink, font=font)
    return picture


def edge(levels: Image8, width: int = 1) -> NDArray[np.bool_]:
    """Return the pixels of L1–L4 that touch another level or none, ``width`` pixels wide."""
    padded = np.pad(levels, 1, mode="edge")
    rim = np.zeros(levels.shape, bool)
    for beside in (padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:]):
        rim |= beside != levels
    rim &= levels > 0
    for step in range(1, width):
        rim |= np.roll(rim, step, 0) | np.roll(rim, step, 1)
    return rim


def text(picture: Image.Image, rng: np.random.Generator) -> None:
    """Write one to five lines of letters at the top, the foot or anywhere."""
    pen, ink = ImageDraw.Draw(picture), _ink(rng)
    size, count = int(rng.choice(list(SIZES))), int(rng.integers(1, 6))
    step = size * 1.25
    free = SIDE - count * step
    where = rng.random()
    y = rng.uniform(0, 8) if where < 0.45 else free - rng.uniform(0, 8)
    if where > 0.8:
        y = rng.uniform(0, free)
    x = rng.uniform(0, 20) if rng.random() < 0.6 else rng.uniform(0, 150)
    ground = int(rng.choice([0, 0, 30, 255])) if rng.random() < 0.25 else None
    for number in range(count):
        line = "".join(rng.choice(LETTERS, int(rng.integers(3, 28))))
        at = (x, y + number * step)
        if ground is not None:
            pen.rectangle(pen.textbbox(at, line, font=_font(size)), fill=ground)
        pen.text(at, line, fill=ink, font=_font(size))


def _shapes(picture: Image.Image, rng: np.random.Generator) -> None:
    pen = ImageDraw.Draw(picture)
    for _ in range(int(rng.integers(1, 4))):
        x0, y0, x1, y1 = (float(v) for v in rng.uniform(-20, SIDE + 20, 4))
        ink, width, kind = _ink(rng), int(rng.integers(1, 4)), rng.random()
        box = [min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)]
        if kind < 0.35:
            pen.line([x0, y0, x1, y1], fill=ink, width=width)
        elif kind < 0.6:
            pen.line([x0, y0, x1, y0], fill=ink, width=min(width, 2))
        elif kind < 0.8:
            pen.rectangle(box, outline=ink, width=min(width, 2))
        else:
            pen.ellipse(box, outline=ink)


def _ink(rng: np.random.Generator) -> int:
    return int(rng.choice(INKS)) if rng.random() < 0.8 else int(rng.integers(60, 256))


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size=size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise TypeError("Pillow was built without FreeType: letters cannot be drawn")
    return font
