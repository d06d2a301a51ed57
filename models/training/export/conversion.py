"""From a Keras network to the files that other engines read."""

from __future__ import annotations

import io
import logging
import math
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import redirect_stdout
from pathlib import Path

import keras
import numpy as np
import openvino
import tensorflow as tf
from numpy.typing import NDArray

from models.runtime import KerasRuntime, open_network
from models.runtime.engine import Files, Precision, Runtime, RuntimeName, as_input
from models.training.export import gptq


def tflite(network: keras.Model, *, half: bool) -> bytes:
    """Return ``network`` as a TFLite file for any batch size, its weights in float16 if ``half``.

    It computes in float32 all the same. Batch normalisation is folded into the convolutions.
    Needs Keras on TensorFlow.
    """
    # The converter goes over a saved model and prints its signatures.
    with redirect_stdout(io.StringIO()):
        converter = tf.lite.TFLiteConverter.from_keras_model(network)
    if half:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    with redirect_stdout(io.StringIO()):
        return bytes(converter.convert())


def compile_network(
    network: keras.Model, runtime: RuntimeName = "openvino", precision: Precision = "f32"
) -> Runtime:
    """Return a network that is not on disk ready to run; ``keras`` gives the reference.

    int8 needs images to calibrate on and is therefore made by :func:`int8`.
    """
    if runtime == "keras":
        return KerasRuntime(network)
    with tempfile.TemporaryDirectory(prefix="osteoserve-") as folder:
        path = Path(folder) / Files.TFLITE
        path.write_bytes(tflite(network, half=False))
        return open_network(Path(folder), {}, runtime, precision)


def int8(
    network: bytes, images: NDArray[np.uint8], firsts: Sequence[float]
) -> Iterator[dict[str, bytes]]:
    """Yield the OpenVINO IR, in 8 bits, of ``network`` (a TFLite file): file's name → content.

    Ranges of activations come from ``images`` (n, 224, 224) uint8 (NNCF, post-training), and how
    weights are rounded (:mod:`~models.training.export.gptq`). For each of ``firsts``, that share of
    the convolutions, in their order and one at least, stays in float32, and so does all that is no
    convolution of the backbone: what prepares grey levels, and heads, whose sums are the answer.
    """
    import nncf  # noqa: PLC0415 - seconds to import; for building artefacts alone

    # It tells of every operation that it leaves as it is.
    nncf.set_log_level(logging.ERROR)
    with tempfile.TemporaryDirectory(prefix="osteoserve-") as temporary:
        folder = Path(temporary)
        (folder / Files.TFLITE).write_bytes(network)

        def read() -> tuple[openvino.Model, list[openvino.Node], list[openvino.Node]]:
            graph = openvino.Core().read_model(folder / Files.TFLITE)
            operations = graph.get_ordered_ops()
            convolutions = [one for one in operations if one.get_type_name() == "Convolution"]
            heads = [one for one in convolutions if one.get_output_partial_shape(0)[1] == 1]
            return graph, [one for one in convolutions if one not in heads], heads

        graph, backbone, _ = read()
        layers = gptq.layers(graph, backbone, images)
        for first in firsts:
            graph, backbone, heads = read()
            split = max(1, math.ceil(first * len(backbone)))
            gptq.apply(backbone, layers, split)
            kept = backbone[:split]
            # Whatever stands before the first convolution or behind a head.
            kept += _reached(backbone[0], lambda one: [i.get_node() for i in one.input_values()])
            for head in heads:
                kept += _reached(
                    head,
                    lambda one: [
                        i.get_node() for o in one.outputs() for i in o.get_target_inputs()
                    ],
                )
            quantised = nncf.quantize(
                graph,
                nncf.Dataset([as_input(image[None]) for image in images]),
                preset=nncf.QuantizationPreset.MIXED,
                subset_size=len(images),
                ignored_scope=nncf.IgnoredScope(
                    names=sorted({one.get_friendly_name() for one in kept}), validate=False
                ),
                advanced_parameters=nncf.AdvancedQuantizationParameters(
                    # Half the levels, for CPUs without VNNI, which get no 8 bits at all.
                    overflow_fix=nncf.OverflowFix.DISABLE
                ),
            )
            openvino.save_model(quantised, folder / Files.INT8)
            yield {file: (folder / file).read_bytes() for file in (Files.INT8, Files.INT8_WEIGHTS)}


def _reached(
    begin: openvino.Node, step: Callable[[openvino.Node], Iterable[openvino.Node]]
) -> list[openvino.Node]:
    """Return ``begin`` and all that repeated ``step`` leads to, constants left out."""
    found: dict[str, openvino.Node] = {}
    ahead = [begin]
    while ahead:
        one = ahead.pop()
        if one.get_friendly_name() not in found and one.get_type_name() != "Constant":
            found[one.get_friendly_name()] = one
            ahead += step(one)
    return list(found.values())
