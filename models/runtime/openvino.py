"""OpenVINO on the CPU, with the precision said aloud.

OpenVINO takes bfloat16 by itself where the CPU has it; an unset hint would let the same artefact
answer differently on two machines. What is left of an int8 network runs in float32.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openvino
from numpy.typing import NDArray
from openvino import opset13 as opset

from models.runtime.cpus import usable_cpus
from models.runtime.engine import Files, Precision, Runtime, as_input, in_order, runtime_name


def open_network(folder: Path, config: Mapping[str, Any], precision: Precision) -> Runtime:  # noqa: ARG001 - the file says how the network is built
    return OpenVINORuntime(
        folder / (Files.INT8 if precision == "int8" else Files.TFLITE), precision
    )


def has_bfloat16() -> bool:
    """Return whether this CPU computes in bfloat16 (AVX-512 BF16 or AMX)."""
    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


class OpenVINORuntime:
    def __init__(self, path: Path, precision: Precision) -> None:
        self.name = runtime_name("openvino", precision)
        hints = {
            "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32",
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": usable_cpus(),
            # Pinned, the threads of every runner on a machine sit on the same first cores.
            "ENABLE_CPU_PINNING": False,
        }
        graph = openvino.Core().read_model(path)
        if precision == "bf16":
            _keep_head_exact(graph)
        self._compiled = openvino.Core().compile_model(graph, "CPU", hints)

    def __call__(self, images: NDArray[np.uint8]) -> Sequence[NDArray[np.float32]]:
        outputs = self._compiled(as_input(images))
        return in_order(np.array(outputs[port], np.float32) for port in self._compiled.outputs)


def _keep_head_exact(graph: openvino.Model) -> None:
    """Let the head of ``graph`` compute in float32 whatever the hint says.

    The head is a convolution of 1×1 to one channel, a long sum of terms that nearly cancel, and its
    weights would be rounded too. OpenVINO lowers the precision of convolutions, not of a product
    and a sum behind the last of them.
    """
    for operation in graph.get_ordered_ops():
        if operation.get_type_name() != "Convolution" or operation.input(1).get_shape()[0] != 1:
            continue
        product = opset.multiply(operation.input_value(0), operation.input_value(1))
        total = opset.reduce_sum(product, np.array([1], np.int64), keep_dims=True)
        for target in operation.output(0).get_target_inputs():
            target.replace_source_output(total.output(0))
    graph.validate_nodes_and_infer_types()
