"""LiteRT on the CPU: 20 MB installed, started in milliseconds, in any batch size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from models.runtime.cpus import usable_cpus
from models.runtime.engine import Files, Precision, Runtime, as_input, in_order, runtime_name


def open_network(folder: Path, config: Mapping[str, Any], precision: Precision) -> Runtime:  # noqa: ARG001 - the file says how the network is built
    if precision != "f32":
        raise ValueError(f"precision {precision} on litert: f32 is allowed")
    return LiteRTRuntime(folder / Files.TFLITE)


class LiteRTRuntime:
    name = runtime_name("litert", "f32")

    def __init__(self, path: Path) -> None:
        # Given as bytes: by path, LiteRT keeps the file mapped, and it may be a temporary one.
        self._interpreter = Interpreter(model_content=path.read_bytes(), num_threads=usable_cpus())
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._outputs = [detail["index"] for detail in self._interpreter.get_output_details()]
        self._shape: tuple[int, ...] = ()

    def __call__(self, images: NDArray[np.uint8]) -> Sequence[NDArray[np.float32]]:
        batch = as_input(images)
        if batch.shape != self._shape:
            self._interpreter.resize_tensor_input(self._input, batch.shape)
            self._interpreter.allocate_tensors()
            self._shape = batch.shape
        self._interpreter.set_tensor(self._input, batch)
        self._interpreter.invoke()
        return in_order(self._interpreter.get_tensor(index) for index in self._outputs)
