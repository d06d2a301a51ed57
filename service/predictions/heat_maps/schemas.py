"""Where in the image a model found evidence, as numbers and as a picture to lay over the scan.

The picture is diverging: vermilion for osteoporosis, sky blue against it (Okabe and Ito's palette
for all kinds of colour vision), and the stronger the evidence the less transparent. Nothing found
is nothing drawn, so the scan below stays as it is. A map is scaled by its own strongest value:
models count in units of their own, and their maps say where, not which model is surer.
"""

from __future__ import annotations

import io
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.image.recipe import SIDE
from protocol.answers import Rows, Version, even
from service.types import BaseName

FOR: Final = (213, 94, 0)
AGAINST: Final = (86, 180, 233)
STRONGEST: Final = 0.8
"""Opacity of a map's strongest value; the bone below still shows."""


class HeatMap(BaseModel):
    """One base model's map of one prediction's image."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: BaseName
    version: Version = Field(description="Of the model that voted; no other's map is ever shown.")
    rows: Rows = Field(
        description="Evidence for osteoporosis in the model's own log-odds units, rows from the "
        "top of the image; below zero speaks against it."
    )

    @model_validator(mode="after")
    def _even(self) -> Self:
        even(self.rows)
        return self

    @property
    def strongest(self) -> float:
        """The largest evidence for or against: the end of the picture's scale."""
        return max(abs(value) for row in self.rows for value in row)

    def png(self) -> bytes:
        """Return the picture: 224×224 RGBA PNG, to be laid over the canonical image."""
        buffer = io.BytesIO()
        Image.fromarray(paint(np.asarray(self.rows, np.float32))).save(buffer, "PNG")
        return buffer.getvalue()


def paint(evidence: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return ``evidence`` (h, w) float32 as (224, 224, 4) uint8, red, green, blue, opacity.

    Each value stands for a cell of an even grid over the image; between the cells' centres values
    are interpolated bilinearly, which adds no peak that the model did not have.
    """
    strongest = float(np.abs(evidence).max())
    # A map of zeros has no scale: it stays empty instead of becoming noise.
    scaled = evidence / strongest if strongest > 0 else evidence
    grid = Image.fromarray(scaled.astype(np.float32)).resize(
        (SIDE, SIDE), Image.Resampling.BILINEAR
    )
    full = np.asarray(grid)
    painted = np.empty((SIDE, SIDE, 4), np.uint8)
    painted[..., :3] = np.where(full[..., None] > 0, FOR, AGAINST)
    painted[..., 3] = np.rint(np.clip(np.abs(full), 0, 1) * STRONGEST * 255).astype(np.uint8)
    return painted


EXAMPLE: Final = {
    "model": "cnn",
    "version": "sha256:" + "1c" * 32,
    "rows": [[0.0, 0.21, -0.04], [0.02, 1.37, 0.11], [-0.35, 0.92, 0.08]],
}
"""A small map, shown in the API documentation."""
