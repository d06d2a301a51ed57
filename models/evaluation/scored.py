"""What one model answered about each case."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.inference.calibration import OperatingPoint


@dataclass(frozen=True, eq=False)
class Scored:
    """``probability`` (n,) float64; ``thresholds`` (n,) and ``bands`` (n, 2) held for each image.

    In cross-validation each fold has an operating point of its own, fitted to the others; ``point``
    is the one that is stored with the model and serves.
    """

    probability: NDArray[np.float64]
    point: OperatingPoint
    thresholds: NDArray[np.float64]
    bands: NDArray[np.float64]

    @classmethod
    def served(cls, probability: NDArray[np.float64], point: OperatingPoint) -> Scored:
        """What a model says that never saw these images, at its stored operating point."""
        count = len(probability)
        return cls(
            probability, point, np.full(count, point.threshold), np.tile(point.band, (count, 1))
        )

    @classmethod
    def crossed(
        cls,
        count: int,
        point: OperatingPoint,
        folds: Iterable[tuple[NDArray[np.intp], NDArray[np.float64], OperatingPoint]],
    ) -> Scored:
        """Put together ``folds``: held-out indices, their probabilities, the point that held.

        Raises :class:`ValueError` when they do not hold each of ``count`` images exactly once.
        """
        probability, thresholds = np.full(count, np.nan), np.full(count, np.nan)
        bands = np.full((count, 2), np.nan)
        times = np.zeros(count, int)
        for held_out, scores, there in folds:
            probability[held_out] = scores
            thresholds[held_out] = there.threshold
            bands[held_out] = there.band
            np.add.at(times, held_out, 1)
        if (times != 1).any():
            raise ValueError(
                f"{int((times != 1).sum())} of {count} images are not held out exactly once"
            )
        return cls(probability, point, thresholds, bands)

    @property
    def predicted_positive(self) -> NDArray[np.bool_]:
        """(n,): at or above the threshold, the band left aside."""
        return self.probability >= self.thresholds

    @property
    def abstained(self) -> NDArray[np.bool_]:
        """(n,): within the band, its edges included."""
        low, high = self.bands.T
        return np.asarray((self.probability >= low) & (self.probability <= high))
