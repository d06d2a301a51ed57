"""The fourth base model: a logistic regression over what is measured of the bone.

It reads no texture that a network found, so its answer can be said in words: each measurement adds
its weight times its distance from the mean, in logits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from models.artifact import ArtifactError
from models.vertebrae.measurements import NAMES

KEY: Final = "measurements"
"""The manifest's key of :meth:`Bone.manifest`."""

LIMIT: Final = 3.0
"""Standard deviations beyond which a measurement counts no more: one odd value must not decide."""


@dataclass(frozen=True)
class Measured:
    """One measurement of one image: its value, and the logits that it added."""

    name: str
    value: float
    contribution: float


@dataclass(frozen=True, eq=False)
class Bone:
    """logit = ``intercept`` + Σ ``weights`` · clip((measurements − ``centre``) / ``spread``)."""

    centre: NDArray[np.float64]
    spread: NDArray[np.float64]
    weights: NDArray[np.float64]
    intercept: float

    def contributions(self, measurements: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return (n, 16) logits that each of ``measurements`` (n, 16) adds to the intercept."""
        scaled = np.clip((measurements - self.centre) / self.spread, -LIMIT, LIMIT)
        return np.asarray(scaled * self.weights)

    def logits(self, measurements: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return (n,) for ``measurements`` (n, 16)."""
        return np.asarray(self.contributions(measurements).sum(1) + self.intercept)

    def manifest(self) -> dict[str, Any]:
        """Return what :meth:`from_manifest` reads."""
        return {
            "names": list(NAMES),
            "centre": [float(v) for v in self.centre],
            "spread": [float(v) for v in self.spread],
            "weights": [float(v) for v in self.weights],
            "intercept": self.intercept,
        }

    @classmethod
    def from_manifest(cls, stored: Mapping[str, Any]) -> Self:
        """Raises :class:`ArtifactError` where other measurements were weighed than are taken."""
        if tuple(stored["names"]) != NAMES:
            raise ArtifactError("bone was trained on other measurements than this code takes")
        centre, spread, weights = (
            np.array(stored[name], float) for name in ("centre", "spread", "weights")
        )
        return cls(centre, spread, weights, float(stored["intercept"]))
