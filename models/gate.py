"""Is this an AP lumbar spine DXA image at all?

A logistic regression on what is coarse and cheap: where edges run (histograms of oriented
gradients; Dalal and Triggs, 2005) and where the image is bright. A spine is a bright column with
level end-plates in the middle of a dark field; a knee, a page of text or a scan upside down is not.
It needs numpy alone, so the front can refuse before any runner is asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load

from models.artifact import Artifact
from models.recipe import SIDE, Canonical

CELLS: Final = 14
"""Cells a side, of 16×16 canonical pixels: a vertebra is two or three high."""

ORIENTATIONS: Final = 8
WEIGHTS_FILE: Final = "gate.safetensors"


def features(canonical: Canonical) -> NDArray[np.float32]:
    """Return (1764,) float32: 14×14 cells of 8 orientations, then 14×14 brightnesses.

    Orientations are normalised by the energy of the 3×3 cells around, brightness by the image's
    mean and spread, so that neither window nor noise level decides.
    """
    half = SIDE // 2
    image = canonical.reshape(half, 2, half, 2).mean((1, 3), dtype=np.float32) / 255
    down, right = np.gradient(image)
    strength = np.hypot(down, right)
    # Unsigned direction, shared linearly between the two nearest bins.
    position = np.arctan2(down, right) % np.pi / np.pi * ORIENTATIONS
    lower = np.floor(position).astype(np.intp)
    share = position - lower
    bins = np.zeros((half, half, ORIENTATIONS), np.float32)
    rows, columns = np.indices((half, half), sparse=True)
    bins[rows, columns, lower % ORIENTATIONS] += strength * (1 - share)
    bins[rows, columns, (lower + 1) % ORIENTATIONS] += strength * share
    size = half // CELLS
    cells = bins.reshape(CELLS, size, CELLS, size, ORIENTATIONS).mean((1, 3))
    padded = np.pad((cells**2).sum(2), 1, mode="edge")
    energy = np.lib.stride_tricks.sliding_window_view(padded, (3, 3)).sum((2, 3))
    oriented = cells / np.sqrt(energy[..., None] + 1e-4)
    bright = image.reshape(CELLS, size, CELLS, size).mean((1, 3))
    bright = (bright - bright.mean()) / (bright.std() + 1e-3)
    return np.concatenate([oriented.ravel(), bright.ravel()]).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Gate:
    """``weights`` (1764,); an image passes when its score reaches ``threshold``."""

    weights: NDArray[np.float32]
    intercept: float
    threshold: float

    @classmethod
    def from_artifact(cls, artifact: Artifact) -> Gate:
        weights = load(artifact.path(WEIGHTS_FILE).read_bytes())["weights"]
        return cls(weights, artifact.manifest["intercept"], artifact.manifest["threshold"])

    def score(self, canonical: Canonical) -> float:
        """Return the log-odds that ``canonical`` is a spine DXA image."""
        return float(self.weights @ features(canonical)) + self.intercept

    def passes(self, canonical: Canonical) -> bool:
        return self.score(canonical) >= self.threshold
