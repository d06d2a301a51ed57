"""Networks as functions: each module's ``build(**config)`` returns a functional Keras model.

Every network takes (batch, 224, 224, 1) float32 in 0…255, the canonical image as it is, and does
its own scaling inside: no caller can prepare it differently from training.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import keras

from models.networks import cnn, resnet, resnet50, vertebrae, vgg16

BUILDERS: Final[Mapping[str, Callable[..., keras.Model]]] = {
    "cnn": cnn.build,
    "vgg16": vgg16.build,
    "resnet": resnet.build,
    "resnet50": resnet50.build,
    "vertebrae": vertebrae.build,
}


def build(config: Mapping[str, Any]) -> keras.Model:
    """Return the network of ``config``: ``{"name": "cnn", **arguments of its build()}``."""
    arguments = dict(config)
    return BUILDERS[arguments.pop("name")](**arguments)
