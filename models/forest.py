"""A random forest on pooled residual features."""

from __future__ import annotations

import zipfile
from typing import Any, Final

import numpy as np
import skops.io
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestRegressor

TREES: Final = 300

TRUSTED: Final = (
    "sklearn.ensemble._forest.RandomForestRegressor",
    "sklearn.tree._classes.DecisionTreeRegressor",
    "sklearn.tree._tree.Tree",
)
"""The only classes that a forest's file may hold; skops builds nothing else."""


class Forest:
    """Predicts severity (0 normal … 1 osteoporosis) as the mean of its trees.

    A regression forest, because the target has an order: see ``models.dataset.SEVERITY``.
    """

    def __init__(self, trees: RandomForestRegressor) -> None:
        self._trees = trees
        # One image in a request: handing trees to threads costs more than the trees.
        self._trees.n_jobs = 1

    @classmethod
    def fit(cls, features: NDArray[np.float32], severity: NDArray[np.float32], seed: int) -> Forest:
        """Fit on ``features`` (n, channels) and ``severity`` (n,) in 0…1."""
        trees = RandomForestRegressor(
            TREES, min_samples_leaf=2, max_features=0.3, random_state=seed, n_jobs=-1
        )
        return cls(trees.fit(features, severity))

    def severity(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return (n,) float64 in 0…1 for ``features`` (n, channels)."""
        return np.asarray(self._trees.predict(features), np.float64)

    def to_bytes(self) -> bytes:
        return bytes(skops.io.dumps(self._trees, compression=zipfile.ZIP_DEFLATED))

    @classmethod
    def from_bytes(cls, data: bytes) -> Forest:
        """Raises skops's ``UntrustedTypesFoundException`` when the file holds anything else."""
        trees: Any = skops.io.loads(data, trusted=list(TRUSTED))
        return cls(trees)
