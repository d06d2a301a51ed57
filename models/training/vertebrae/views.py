"""An image as another scanner, position, crop, size or compression would have given it."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from models.dataset import graphics
from models.image import recipe
from models.image.recipe import SIDE
from models.image.scan import Scan

Image8 = NDArray[np.uint8]

RESAMPLED = (
    Image.Resampling.BILINEAR,
    Image.Resampling.BICUBIC,
    Image.Resampling.LANCZOS,
    Image.Resampling.BOX,
)


@dataclass(frozen=True, eq=False)
class View:
    """``frame`` (224, 224) uint8 and the truth of it: ``levels`` uint8 (1–4 L1–L4, 5 another
    vertebra), ``graphics`` bool."""

    frame: Image8
    levels: Image8
    graphics: NDArray[np.bool_]


def view(clean: Image8, levels: Image8, rng: np.random.Generator) -> View:
    """Return one altered view of ``clean`` (224, 224), on which no graphics are drawn yet."""
    image, levels = _moved(clean, levels, rng)
    image = _regraded(image, rng)
    drawn = graphics.draw(image, levels, rng) if rng.random() < 0.8 else image
    mask = np.abs(drawn.astype(np.int16) - image) > 3
    if rng.random() < 0.15:
        drawn, levels, mask = graphics.bordered(drawn, levels, mask, rng)
    return View(recipe.frame(Scan(_exported(drawn, rng), 8, "png")), levels, mask)


def _moved(image: Image8, levels: Image8, rng: np.random.Generator) -> tuple[Image8, Image8]:
    """Return both scaled, turned, shifted and mirrored alike. What comes in is dark."""

    def often(share: float, wide: float, narrow: float) -> float:
        return float(rng.uniform(-wide, wide) if rng.random() < share else rng.normal(0, narrow))

    scale, stretch = np.exp(often(0.35, 0.28, 0.08)), np.exp(often(0.5, 0.12, 0.01))
    if rng.random() < 0.1:
        stretch *= np.exp(rng.uniform(-0.35, 0.2))
    angle = np.deg2rad(often(0.35, 14.0, 2.5))
    shift = np.array([often(0.3, 22.0, 5.0), often(0.3, 18.0, 5.0)])
    cosine, sine = np.cos(angle), np.sin(angle)
    linear = np.array(
        [[cosine / (scale * stretch), sine / (scale * stretch)],
         [-sine * stretch / scale, cosine * stretch / scale]]
    )  # fmt: skip
    if rng.random() < 0.5:
        linear = np.diag([-1, 1]) @ linear
    middle = np.full(2, (SIDE - 1) / 2)
    offset = middle + shift - linear @ middle
    matrix = (*linear[0], offset[0], *linear[1], offset[1])
    ground = int(np.percentile(image, 5)) if rng.random() < 0.7 else 0
    smooth = Image.Resampling.BICUBIC if rng.random() < 0.5 else Image.Resampling.BILINEAR

    def put(values: Image8, resample: Image.Resampling, fill: int) -> Image8:
        moved = Image.fromarray(values).transform(
            (SIDE, SIDE), Image.Transform.AFFINE, matrix, resample, fillcolor=fill
        )
        return np.asarray(moved, np.uint8)

    return put(image, smooth, ground), put(levels, Image.Resampling.NEAREST, 0)


def _regraded(image: Image8, rng: np.random.Generator) -> Image8:
    """Return ``image`` with another gamma, window and, at times, noise."""
    values = 255 * (image / 255) ** np.exp(rng.uniform(-0.35, 0.35))
    values = (values - 128) * rng.uniform(0.75, 1.1) + 128 + rng.uniform(-15, 15)
    values = np.clip(values, 0, 255)
    if rng.random() < 0.3:
        values = values + rng.normal(0, rng.uniform(1, 14), values.shape)
    return np.asarray(np.clip(values, 0, 255), np.uint8)


def _exported(image: Image8, rng: np.random.Generator) -> Image8:
    """Return ``image`` after what an export does to all of it: size, blur, JPEG, noise."""
    picture = Image.fromarray(image)
    kind = rng.random()
    if kind < 0.3:
        side = int(SIDE * rng.uniform(0.5, 0.95))
        picture = picture.resize((side, side), RESAMPLED[int(rng.integers(len(RESAMPLED)))])
        picture = picture.resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    elif kind < 0.45:
        picture = picture.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.3, 1.2))))
    if rng.random() < 0.3:
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=int(rng.integers(40, 96)))
        picture = Image.open(buffer)
    values = np.asarray(picture, np.float64)
    if rng.random() < 0.4:
        values = values + rng.normal(0, rng.uniform(0.5, 4), values.shape)
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)
