"""What runs a network: one small interface, several engines.

``openvino`` is the default on CPUs. The weights stay Keras's: the network is built by the same
functions, converted in memory when the process starts, and compiled for this machine. With Keras's
OpenVINO backend no TensorFlow is needed for that, which keeps 1.3 GB out of the runners.
``keras`` runs the network as it was trained and is the reference that others are checked against.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import keras

RuntimeName = Literal["openvino", "keras"]
RUNTIMES: Final[tuple[RuntimeName, ...]] = get_args(RuntimeName)

Precision = Literal["f32", "bf16"]
PRECISIONS: Final[tuple[Precision, ...]] = get_args(Precision)


class Runtime(Protocol):
    """A network ready to run. ``name`` tells engine and precision, as in ``openvino-f32``."""

    name: str

    def __call__(self, images: NDArray[np.uint8]) -> Sequence[NDArray[np.float32]]:
        """Return the network's outputs, in their order, for ``images`` (n, 224, 224) uint8."""
        ...


def choose_backend() -> None:
    """Let Keras run on OpenVINO where TensorFlow is not installed.

    Keras reads ``KERAS_BACKEND`` once, when first imported; so this comes before that import.
    """
    if find_spec("tensorflow") is None:
        os.environ.setdefault("KERAS_BACKEND", "openvino")


def compile_network(
    network: keras.Model, runtime: RuntimeName = "openvino", precision: Precision = "f32"
) -> Runtime:
    """Return ``network`` ready to run on this machine."""
    if runtime == "openvino":
        return OpenVINORuntime(network, precision)
    return KerasRuntime(network)


def runtime_name(runtime: RuntimeName, precision: Precision) -> str:
    return f"{runtime}-{precision}"


class KerasRuntime:
    """The reference. Float32, whatever Keras's backend is."""

    name = runtime_name("keras", "f32")

    def __init__(self, network: keras.Model) -> None:
        self._network = network

    def __call__(self, images: NDArray[np.uint8]) -> Sequence[NDArray[np.float32]]:
        outputs: Any = self._network.predict(_as_input(images), verbose=0)
        return outputs if isinstance(outputs, list) else [outputs]


class OpenVINORuntime:
    """OpenVINO on the CPU, with the precision said aloud.

    OpenVINO takes bfloat16 by itself where the CPU has it; an unset hint would let the same
    artefact answer differently on two machines.
    """

    def __init__(self, network: keras.Model, precision: Precision = "f32") -> None:
        import openvino  # noqa: PLC0415 - training and tests of other parts do without it

        self.name = runtime_name("openvino", precision)
        core = openvino.Core()
        with tempfile.TemporaryDirectory(prefix="osteoserve-") as folder:
            path = Path(folder) / "network.xml"
            network.export(str(path), format="openvino", verbose=False)
            graph = core.read_model(path)
        hints = {
            "INFERENCE_PRECISION_HINT": precision,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": usable_cpus(),
        }
        self._compiled = core.compile_model(graph, "CPU", hints)

    def __call__(self, images: NDArray[np.uint8]) -> Sequence[NDArray[np.float32]]:
        outputs = self._compiled(_as_input(images))
        return [np.array(outputs[port], np.float32) for port in self._compiled.outputs]


def usable_cpus() -> int:
    """Return how many CPUs this process may use: affinity, then the cgroup's quota, at least 1.

    A pod limited to two CPUs of a 64-core node must not start 64 threads.
    """
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _cgroup_quota(Path("/sys/fs/cgroup"))
    return max(1, min(cpus, round(quota))) if quota else cpus


def _cgroup_quota(root: Path) -> float | None:
    """Return the CPU quota in CPUs, from cgroup v2 or v1, None without one."""
    try:
        quota, period = (root / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            quota = (root / "cpu/cpu.cfs_quota_us").read_text().strip()
            period = (root / "cpu/cpu.cfs_period_us").read_text().strip()
        except OSError:
            return None
    return None if quota in ("max", "-1") else int(quota) / int(period)


def _as_input(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    return images[..., None].astype(np.float32)
