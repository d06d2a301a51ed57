"""A random forest on pooled residual features, as arrays.

scikit-learn grows the trees; what answers is this module. For one image scikit-learn's checks and
its loop over 300 objects take milliseconds, walking all trees at once in numpy a fraction of one,
and a runner needs no scikit-learn. The file is safetensors: no pickle, no code.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load, save

FILE: Final = "forest.safetensors"

TYPES: Final[Mapping[str, Any]] = {
    "first": np.int32,
    "left": np.int32,
    "right": np.int32,
    "feature": np.int32,
    "threshold": np.float64,
    "value": np.float64,
    "weight": np.float64,
}
_LEAF: Final = -1


class Forest:
    """Predicts severity (0 normal … 1 osteoporosis) as the mean of its trees.

    A regression forest, because the target has an order: see ``models.dataset.SEVERITY``.
    ``arrays`` hold all trees one after another: ``first`` (trees + 1,) is where each begins; of
    each node, ``left`` and ``right`` are its children counted from its tree's first node (−1 in a
    leaf), ``feature`` and ``threshold`` its question (left when ≤), ``value`` its answer and
    ``weight`` how many training images came through it.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Raises ValueError when arrays are missing, of other types, or no trees."""
        wrong = [
            name for name, kind in TYPES.items() if name not in arrays or arrays[name].dtype != kind
        ]
        if wrong or len(arrays) != len(TYPES):
            raise ValueError(f"not a forest: arrays missing or of another type: {', '.join(wrong)}")
        self._arrays = dict(arrays)
        first, left, right = arrays["first"], arrays["left"], arrays["right"]
        nodes = len(left)
        if any(len(arrays[name]) != nodes for name in TYPES if name != "first"):
            raise ValueError("not a forest: arrays of nodes differ in length")
        sizes = np.diff(first)
        if len(first) < 2 or first[0] != 0 or first[-1] != nodes or (sizes < 1).any():
            raise ValueError("not a forest: trees do not fill the nodes")
        leaf = left == _LEAF
        position = np.arange(nodes) - np.repeat(first[:-1], sizes)
        size = np.repeat(sizes, sizes)
        for child in (left, right):
            # A child behind its parent: every walk ends.
            if ((child == _LEAF) != leaf).any() or ((child <= position) | (child >= size))[
                ~leaf
            ].any():
                raise ValueError("not a forest: a node's child is no later node of its tree")
        # A leaf is its own child, so that walks of different lengths end together.
        offset = np.repeat(first[:-1], sizes)
        here = np.arange(nodes)
        self._children = np.stack(
            [np.where(leaf, here, right + offset), np.where(leaf, here, left + offset)], axis=1
        )
        self._feature = np.where(leaf, 0, arrays["feature"])
        self._roots = first[:-1].astype(np.intp)
        self._depth = _depth(self._children, self._roots)

    def severity(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return (n,) float64 in 0…1 for ``features`` (n, channels)."""
        rows = np.arange(len(features))[:, None]
        node = np.broadcast_to(self._roots, (len(features), len(self._roots)))
        threshold = self._arrays["threshold"]
        for _ in range(self._depth):
            left = features[rows, self._feature[node]] <= threshold[node]
            node = self._children[node, left.astype(np.intp)]
        return np.asarray(self._arrays["value"][node].mean(1))

    @property
    def expected(self) -> float:
        """Mean severity over the training images, as the trees hold it: where evidence starts."""
        return float(self._arrays["value"][self._roots].mean())

    def contributions(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return exact tree SHAP values (n, channels): they and :attr:`expected` sum to severity.

        Path-dependent (Lundberg et al., Nature Machine Intelligence 2020): absent features follow
        the training images. Imports shap on the first call.
        """
        return np.asarray(self._explainer.shap_values(features.astype(np.float64)))

    @cached_property
    def _explainer(self) -> Any:
        # A second and 150 MB, which evaluation without maps does not need.
        with warnings.catch_warnings():
            # Its plots, which nobody draws here, set colours in a way that matplotlib will drop.
            warnings.simplefilter("ignore", PendingDeprecationWarning)
            import shap  # noqa: PLC0415 - see above

        arrays = self._arrays
        spans = zip(arrays["first"][:-1], arrays["first"][1:], strict=True)
        count = len(self._roots)
        trees = [
            {
                "children_left": arrays["left"][start:end],
                "children_right": arrays["right"][start:end],
                "children_default": arrays["left"][start:end],
                "features": arrays["feature"][start:end],
                "thresholds": arrays["threshold"][start:end],
                "values": arrays["value"][start:end, None] / count,
                "node_sample_weight": arrays["weight"][start:end],
            }
            for start, end in spans
        ]
        return shap.TreeExplainer({"trees": trees})

    def to_bytes(self) -> bytes:
        return save(self._arrays)

    @classmethod
    def from_bytes(cls, data: bytes) -> Forest:
        """Raises ValueError when ``data`` is no forest."""
        return cls(load(data))


def _depth(children: NDArray[np.intp], roots: NDArray[np.intp]) -> int:
    """Return how many steps the longest walk takes."""
    depth, level = 0, roots
    while True:
        below = children[level].ravel()
        level = np.setdiff1d(below, level, assume_unique=False)
        if not len(level):
            return depth
        depth += 1
