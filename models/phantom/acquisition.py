"""From density to what the screen shows: motion, point spread, noise, window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.phantom.field import Field, blur
from models.phantom.nuisance import Nuisance

FIXED_WHITE = 1.75
"""g/cm² that a window which ignores the image would show as white."""


@dataclass(frozen=True)
class Motion:
    """Rows ``first`` to ``last`` were scanned while the patient moved by about ``shift`` pixels."""

    first: int
    last: int
    shift: float


def acquire(
    rng: np.random.Generator,
    apparent: Field,
    nuisance: Nuisance,
    noise: float,
    motion: Motion | None,
) -> Field:
    """Return ``apparent`` (g/cm², bone and soft tissue) as the detector measures it."""
    if motion is not None:
        apparent = _move(rng, apparent, motion)
    measured = blur(apparent, float(rng.uniform(*nuisance.psf)))
    grain = rng.standard_normal(apparent.shape, dtype=np.float32)
    coarse = blur(grain, float(rng.uniform(*nuisance.grain)))
    coarse /= max(float(coarse.std()), 1e-6)
    # Counts fall with the bone in the way, so that noise rises with it.
    sigma = noise * np.sqrt(1.0 + 1.2 * np.clip(measured, 0.0, 4.0))
    rows = rng.standard_normal((apparent.shape[0], 1), dtype=np.float32)
    return np.asarray(measured + sigma * coarse + 0.12 * noise * rows, dtype=np.float32)


def _move(rng: np.random.Generator, image: Field, motion: Motion) -> Field:
    moved = image.copy()
    walk = np.cumsum(rng.normal(0.0, 0.6, motion.last - motion.first))
    for index, row in enumerate(range(motion.first, motion.last)):
        moved[row] = np.roll(image[row], round(motion.shift + walk[index]))
    return moved


def window(
    rng: np.random.Generator, measured: Field, bone: NDArray[np.bool_], nuisance: Nuisance
) -> Field:
    """Return what the display shows, 0 black to 1 white, not yet rounded to grey levels.

    White lies between a fixed density and one that follows the image, and is jittered besides:
    brightness tells of BMD, as in exports of real scanners, and does not tell all.
    """
    own = float(np.percentile(measured[bone], 98.0)) * 1.08
    follow = float(rng.uniform(*nuisance.auto_window))
    jitter = float(np.exp(rng.normal(0.0, nuisance.window_jitter)))
    white = max(own, 0.3) ** follow * FIXED_WHITE ** (1.0 - follow) * jitter
    black = float(rng.uniform(*nuisance.black))
    level = np.clip((measured - black) / (white - black), 0.0, 1.0)
    return np.asarray(level ** float(rng.uniform(*nuisance.gamma)), dtype=np.float32)
