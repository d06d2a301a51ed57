"""Grows the random forest that :class:`models.inference.forest.Forest` answers from."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestRegressor

from models.inference.forest import TYPES, Forest

TREES: Final = 300


def fit(features: NDArray[np.float32], severity: NDArray[np.float32], seed: int) -> Forest:
    """Fit on ``features`` (n, channels) and ``severity`` (n,) in 0…1."""
    trees = RandomForestRegressor(
        TREES, min_samples_leaf=2, max_features=0.3, random_state=seed, n_jobs=-1
    )
    return from_trees(trees.fit(features, severity))


def from_trees(forest: RandomForestRegressor) -> Forest:
    """Return scikit-learn's fitted ``forest``, which has one output."""
    trees = [estimator.tree_ for estimator in forest.estimators_]
    return Forest(
        {
            "first": np.cumsum([0, *(tree.node_count for tree in trees)]).astype(np.int32),
            **{
                name: np.concatenate([getattr(tree, theirs) for tree in trees])
                .reshape(-1)
                .astype(TYPES[name])
                for name, theirs in (
                    ("left", "children_left"),
                    ("right", "children_right"),
                    ("feature", "feature"),
                    ("threshold", "threshold"),
                    ("value", "value"),
                    ("weight", "weighted_n_node_samples"),
                )
            },
        }
    )
