"""A network's weights as safetensors: names to arrays, no code, no pickle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from safetensors.numpy import load, save

if TYPE_CHECKING:
    import keras

KEPT_IN_FLOAT32 = ("head_", "bn")
"""Layers whose few numbers decide much: the head, and the statistics of batch normalisation."""


def to_bytes(network: keras.Model, *, half: bool) -> bytes:
    """Return all weights of ``network``; convolutions in float16 if ``half``, at half the size.

    What rounding does to probabilities is measured where the artefact is built.
    """
    tensors = {}
    for variable in network.weights:
        value = np.asarray(variable, np.float32)
        layer = variable.path.split("/")[0]
        kept = not half or any(part in layer for part in KEPT_IN_FLOAT32)
        tensors[variable.path] = value if kept else value.astype(np.float16)
    return save(tensors)


def from_bytes(network: keras.Model, data: bytes) -> None:
    """Set all weights of ``network``. Raises ValueError when names or shapes differ."""
    tensors = load(data)
    expected = {variable.path for variable in network.weights}
    if expected != tensors.keys():
        differing = ", ".join(sorted(expected ^ tensors.keys())[:5])
        raise ValueError(f"weights do not fit {network.name}: {differing}")
    for variable in network.weights:
        variable.assign(tensors[variable.path].astype(np.float32))
