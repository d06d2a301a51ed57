"""From a Keras network to the files that other engines read."""

from __future__ import annotations

import io
import tempfile
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.runtime.engine import Files, as_input

if TYPE_CHECKING:
    import keras


def tflite(network: keras.Model, *, half: bool) -> bytes:
    """Return ``network`` as a TFLite file for any batch size, its weights in float16 if ``half``.

    It computes in float32 all the same. Batch normalisation is folded into the convolutions.
    Needs Keras on TensorFlow.
    """
    import tensorflow as tf  # noqa: PLC0415 - for training alone; engines read the file without it

    # The converter goes over a saved model and prints its signatures.
    with redirect_stdout(io.StringIO()):
        converter = tf.lite.TFLiteConverter.from_keras_model(network)
    if half:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    with redirect_stdout(io.StringIO()):
        return bytes(converter.convert())


def int8(network: bytes, images: NDArray[np.uint8]) -> dict[str, bytes]:
    """Return the OpenVINO IR, in 8 bits, of ``network`` (a TFLite file): file's name → content.

    Ranges of activations come from ``images`` (n, 224, 224) uint8 (NNCF, post-training). The first
    convolution, the last and those of the head stay in float32: the one sees grey levels, the
    others are the answer.
    """
    import nncf  # noqa: PLC0415 - seconds to import; for building artefacts alone
    import openvino  # noqa: PLC0415 - as above

    with tempfile.TemporaryDirectory(prefix="osteoserve-") as temporary:
        folder = Path(temporary)
        (folder / Files.TFLITE).write_bytes(network)
        graph = openvino.Core().read_model(folder / Files.TFLITE)
        convolutions = [
            (operation.get_friendly_name(), operation.get_output_partial_shape(0)[1] == 1)
            for operation in graph.get_ordered_ops()
            if operation.get_type_name() == "Convolution"
        ]
        kept = {name for name, is_head in convolutions if is_head}
        kept |= {convolutions[0][0], convolutions[-1][0]}
        quantised = nncf.quantize(
            graph,
            nncf.Dataset([as_input(image[None]) for image in images]),
            preset=nncf.QuantizationPreset.MIXED,
            subset_size=len(images),
            ignored_scope=nncf.IgnoredScope(names=sorted(kept)),
        )
        openvino.save_model(quantised, folder / Files.INT8)
        return {file: (folder / file).read_bytes() for file in (Files.INT8, Files.INT8_WEIGHTS)}
