"""Keras itself: as it was trained, and compiled for serving, by XLA on a GPU.

Nothing is imported before a network is there: this module is also read where no Keras is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.runtime.choice import has_gpu, share_gpu
from models.runtime.engine import Files, Precision, Runtime, as_input, runtime_name

if TYPE_CHECKING:
    import keras


def open_network(folder: Path, config: Mapping[str, Any], precision: Precision) -> Runtime:
    share_gpu()
    import keras  # noqa: PLC0415 - seconds and hundreds of MB, for this runtime alone

    from models import networks  # noqa: PLC0415 - both import Keras
    from models.networks import weights  # noqa: PLC0415 - both import Keras

    if precision != "f32":
        raise ValueError(f"precision {precision} on keras: f32 is allowed")
    network = networks.build(config)
    weights.from_bytes(network, (folder / Files.WEIGHTS).read_bytes())
    if keras.backend.backend() != "tensorflow":
        return KerasRuntime(network)
    return CompiledRuntime(network)


class KerasRuntime:
    """The reference: float32, ``predict``, whatever Keras's backend is."""

    name = runtime_name("keras", "f32")

    def __init__(self, network: keras.Model) -> None:
        self._network = network

    def __call__(self, images: NDArray[np.uint8]) -> Sequence[NDArray[np.float32]]:
        outputs: Any = self._network.predict(as_input(images), verbose=0)
        return outputs if isinstance(outputs, list) else [outputs]


class CompiledRuntime:
    """TensorFlow's graph of the network, on a GPU compiled by XLA.

    XLA compiles once a shape, for 1.1 to 2.3 seconds on an H200, so a batch is filled up to the
    next power of two. On a CPU it takes minutes and GBs for 56 layers, for no gain over the graph.
    """

    name = runtime_name("keras", "f32")

    def __init__(self, network: keras.Model) -> None:
        import tensorflow as tf  # noqa: PLC0415 - as above

        # TensorFloat-32, the default on GPUs, keeps 10 bits of a float32's 23.
        tf.config.experimental.enable_tensor_float_32_execution(False)
        self._call = tf.function(
            lambda images: network(images, training=False), jit_compile=has_gpu()
        )

    def __call__(self, images: NDArray[np.uint8]) -> Sequence[NDArray[np.float32]]:
        count = len(images)
        filled = 1 << (count - 1).bit_length()
        batch = np.zeros((filled, *images.shape[1:], 1), np.float32)
        batch[:count] = as_input(images)
        found = self._call(batch)
        outputs = found if isinstance(found, list) else [found]
        return [np.asarray(output)[:count] for output in outputs]
