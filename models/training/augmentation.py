"""Small changes that a technologist or another scanner could have made to the same patient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.image.recipe import SIDE


@dataclass(frozen=True)
class Augmentation:
    """Ranges of random change; each draw is uniform within ± the value.

    ===========  =====================================================
    shift        of the image's side, both directions
    zoom         around 1
    rotation     degrees; domain.md §2.2 lets up to 10 pass as positioned
    gain         of the grey levels, around 1; brightness carries
                 information here, so it is kept small
    noise        standard deviation in grey levels, drawn from 0 … this
    mirror       probability; the lumbar spine is nearly symmetric
    ===========  =====================================================
    """

    shift: float = 0.05
    zoom: float = 0.08
    rotation: float = 4.0
    gain: float = 0.06
    noise: float = 4.0
    mirror: float = 0.5

    def apply(self, image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
        """Return a changed copy of ``image`` (224, 224) uint8."""
        angle = np.deg2rad(rng.uniform(-self.rotation, self.rotation))
        scale = 1.0 / rng.uniform(1 - self.zoom, 1 + self.zoom)
        cos, sin = scale * np.cos(angle), scale * np.sin(angle)
        if rng.random() < self.mirror:
            cos_x, sin_y = -cos, -sin
        else:
            cos_x, sin_y = cos, sin
        centre = (SIDE - 1) / 2
        shift_x, shift_y = rng.uniform(-self.shift, self.shift, 2) * SIDE
        # Pillow wants, for each target pixel, where it comes from.
        matrix = (
            cos_x,
            sin,
            centre - cos_x * centre - sin * centre + shift_x,
            -sin_y,
            cos,
            centre + sin_y * centre - cos * centre + shift_y,
        )
        moved = Image.fromarray(image).transform(
            (SIDE, SIDE), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR
        )
        levels = np.asarray(moved, np.float32) * rng.uniform(1 - self.gain, 1 + self.gain)
        levels += rng.normal(0.0, rng.uniform(0.0, self.noise) + 1e-6, levels.shape)
        changed: NDArray[np.uint8] = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
        return changed
