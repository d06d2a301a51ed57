"""What training does so that altered copies of a scan are judged as the scan is.

A linear model is penalised along the directions in which copies of one scan differ: within-class
covariance normalisation (Hatch and Stolcke, ICASSP 2006), a scan being the class. A network is
penalised by the variance of its logit among copies of a scan, consistency regularisation as in
Sajjadi et al. (NeurIPS 2016).
"""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from models.networks.head import Tensor

Floats = NDArray[np.float64]


def within(views: NDArray[np.floating]) -> Floats:
    """Return (c, c): the mean covariance of ``views`` (k, n, c) among the k of each scan."""
    apart = (views - views.mean(0)).reshape(-1, views.shape[-1])
    return np.asarray(apart.T @ apart / len(apart), np.float64)


def axes(covariance: Floats, weight: float) -> Floats:
    """Return (c, c) A, symmetric, so that ‖b‖² for weights w = A·b is ‖w‖² + ``weight``·w'Sw with
    the ``covariance`` S: the penalty of an ordinary fit on features·A."""
    values, vectors = np.linalg.eigh(np.eye(len(covariance)) + weight * covariance)
    return np.asarray((vectors / np.sqrt(values)) @ vectors.T)


def loss(weight: float) -> Callable[[Tensor, Tensor], Tensor]:
    """Return Keras's loss of logits (batch, views) against soft labels of the same shape: binary
    cross-entropy, and ``weight`` times the variance among the views of a scan."""
    cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)

    def both(truth: Tensor, logits: Tensor) -> Tensor:
        return cross_entropy(truth, logits) + weight * ops.mean(ops.var(logits, axis=1))

    return both


def over_views(network: keras.Model, views: int) -> keras.Model:
    """Return a model of (batch, ``views``, …) inputs, as many as ``network`` has, that answers
    (batch, ``views``) with what ``network``, of one logit, answers to each."""
    inputs = [keras.Input((views, *one.shape[1:]), dtype=one.dtype) for one in network.inputs]
    flat = [
        ops.reshape(many, (-1, *one.shape[1:]))
        for many, one in zip(inputs, network.inputs, strict=True)
    ]
    if len(inputs) == 1:
        # Keras warns of a list where a model has one input.
        return keras.Model(inputs[0], ops.reshape(network(flat[0]), (-1, views)))
    return keras.Model(inputs, ops.reshape(network(flat), (-1, views)))
