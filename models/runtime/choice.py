"""What ``auto`` means: the fastest runtime that the artefact allows and this machine has."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from models.runtime.cpus import has_amx, has_vnni
from models.runtime.engine import Precision, RuntimeName, runtime_name

_PACKAGES: Final[Mapping[RuntimeName, str]] = {
    "openvino": "openvino",
    "litert": "ai_edge_litert",
    "keras": "tensorflow",
}

_GPU_DRIVER: Final = Path("/proc/driver/nvidia/version"), Path("/dev/nvidiactl")

_BFLOAT16_FIRST: Final[tuple[tuple[RuntimeName, Precision], ...]] = (
    ("openvino", "bf16"),
    ("openvino", "int8"),
)
_EXACT: Final[tuple[tuple[RuntimeName, Precision], ...]] = (
    ("openvino", "f32"),
    ("litert", "f32"),
    ("keras", "f32"),
)


def installed(runtime: RuntimeName) -> bool:
    """Return whether the engine's package is there, without importing it."""
    return find_spec(_PACKAGES[runtime]) is not None


def automatic(
    allowed: Collection[str],
    runtime: RuntimeName | None = None,
    precision: Precision | None = None,
) -> tuple[RuntimeName, Precision] | None:
    """Return the fastest of the ``allowed`` runtimes here, or None where there is none.

    None for ``runtime`` or ``precision`` leaves it open; what is given is kept to. A GPU comes
    first, then 8 bits and bfloat16 on CPUs that have them, then float32.
    """
    for choice in _candidates():
        if (
            runtime_name(*choice) in allowed
            and runtime in (None, choice[0])
            and precision in (None, choice[1])
            and supported(*choice)
        ):
            return choice
    return None


def supported(runtime: RuntimeName, precision: Precision) -> bool:
    """Return whether this machine has the engine, and the CPU what the precision takes.

    Without bfloat16 in the CPU, OpenVINO would compute in float32 under the other name; without
    VNNI, 8 bits would give another answer.
    """
    if not installed(runtime):
        return False
    if precision == "int8":
        return has_vnni()
    if precision == "f32":
        return True
    from models.runtime.openvino import has_bfloat16  # noqa: PLC0415 - OpenVINO, where it is there

    return has_bfloat16()


def has_gpu() -> bool:
    """Return whether TensorFlow is installed and sees a GPU.

    TensorFlow is only asked, which takes seconds, where a driver is loaded.
    """
    if not installed("keras") or not any(path.exists() for path in _GPU_DRIVER):
        return False
    import tensorflow as tf  # noqa: PLC0415 - asked for on machines with a GPU alone

    return bool(tf.config.list_physical_devices("GPU"))


def share_gpu() -> None:
    """Let TensorFlow take what it needs of a GPU's memory, where it would take all of it.

    Three runners may share one, and a training beside them. Called before TensorFlow first
    computes; whoever has set TF_FORCE_GPU_ALLOW_GROWTH is not overruled.
    """
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")


def _candidates() -> Iterator[tuple[RuntimeName, Precision]]:
    if has_gpu():
        yield "keras", "f32"
    # A network is in bfloat16 as a whole, in 8 bits in part: the rest of it is float32, which
    # AMX leaves so far behind that it costs more than bfloat16 does throughout.
    yield from _BFLOAT16_FIRST if has_amx() else reversed(_BFLOAT16_FIRST)
    yield from _EXACT
