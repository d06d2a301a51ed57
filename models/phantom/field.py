"""Arithmetic on whole images that several parts of a phantom share."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Field = NDArray[np.float32]


def bell(distance: Field | NDArray[np.float64]) -> Field:
    """Return the Gaussian of ``distance`` in standard deviations, 1 in the middle."""
    bounded = np.minimum(np.abs(np.asarray(distance, dtype=np.float32)), 8.0)
    return np.asarray(np.exp(bounded * bounded * -0.5), dtype=np.float32)


def step(distance: Field | NDArray[np.float64]) -> Field:
    """Return a soft edge: 0 far below zero, 1 far above."""
    bounded = np.clip(np.asarray(distance, dtype=np.float32), -20.0, 20.0)
    return np.asarray(1.0 / (1.0 + np.exp(-bounded)), dtype=np.float32)


def clouds(rng: np.random.Generator, shape: tuple[int, int], cell: float) -> Field:
    """Return smooth noise of mean 0 and σ near 1 whose blobs are about ``cell`` pixels wide."""
    rows = math.ceil(shape[0] / cell) + 3
    columns = math.ceil(shape[1] / cell) + 3
    coarse = Image.fromarray(rng.standard_normal((rows, columns), dtype=np.float32))
    left, top = (float(start) for start in rng.uniform(0.5, 1.5, 2))
    box = (left, top, left + shape[1] / cell, top + shape[0] / cell)
    fine = coarse.resize((shape[1], shape[0]), Image.Resampling.BICUBIC, box=box)
    # Interpolation between independent knots loses about a third of their variance.
    return np.asarray(fine, dtype=np.float32) * np.float32(1.3)


def blur(image: Field, sigma: float) -> Field:
    """Return ``image`` under a Gaussian of ``sigma`` pixels, its edges repeated."""
    reach = max(1, math.ceil(3.0 * sigma))
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    taps = (taps / taps.sum()).astype(np.float32)
    for axis in (0, 1):
        padding = [(0, 0), (0, 0)]
        padding[axis] = (reach, reach)
        padded = np.pad(image, padding, mode="edge")
        length = image.shape[axis]
        blurred = np.zeros_like(image)
        for start, tap in enumerate(taps):
            window = padded[start : start + length] if axis == 0 else padded[:, start:][:, :length]
            blurred += tap * window
        image = blurred
    return image
