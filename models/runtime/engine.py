"""What every engine agrees on: names, the files it reads, what goes in and what comes out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

RuntimeName = Literal["openvino", "litert", "keras"]
RUNTIMES: Final[tuple[RuntimeName, ...]] = get_args(RuntimeName)

RuntimeChoice = RuntimeName | Literal["auto"]

Precision = Literal["f32", "bf16", "int8"]
PRECISIONS: Final[tuple[Precision, ...]] = get_args(Precision)

PrecisionChoice = Precision | Literal["auto"]
"""``auto``: the fastest that an artefact allows and this machine has; see ``choice``."""

CHOICES: Final[tuple[tuple[RuntimeName, Precision], ...]] = (
    ("keras", "f32"),
    ("openvino", "f32"),
    ("openvino", "bf16"),
    ("openvino", "int8"),
    ("litert", "f32"),
)
"""Every runtime that there is, in the order of tables and cards."""


class Files:
    """Names of the files that engines read in an artefact's folder."""

    WEIGHTS: Final = "weights.safetensors"
    TFLITE: Final = "network.tflite"
    INT8: Final = "network-int8.xml"
    INT8_WEIGHTS: Final = "network-int8.bin"


class Runtime(Protocol):
    """A network ready to run. ``name`` tells engine and precision, as in ``openvino-f32``."""

    name: str

    def __call__(self, images: NDArray[np.uint8]) -> Sequence[NDArray[np.float32]]:
        """Return the network's outputs, in their order, for ``images`` (n, 224, 224) uint8."""
        ...


def runtime_name(runtime: RuntimeName, precision: Precision) -> str:
    return f"{runtime}-{precision}"


def parse_name(name: str) -> tuple[RuntimeName, Precision]:
    """Return engine and precision of a manifest's runtime. Raises ValueError for an unknown one."""
    for choice in CHOICES:
        if name == runtime_name(*choice):
            return choice
    allowed = ", ".join(runtime_name(*choice) for choice in CHOICES)
    raise ValueError(f"runtime {name}: allowed are {allowed}")


def as_input(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return (n, 224, 224, 1) float32 in 0…255: networks scale inside."""
    return images[..., None].astype(np.float32)


def in_order(outputs: Iterable[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
    """Return ``outputs`` as the network gives them: (n, k) first, then (n, height, width, c).

    The converter to TFLite keeps neither their order nor their names.
    """
    return sorted(outputs, key=lambda output: output.ndim)
