"""What runs a network: one small interface, a module an engine.

=============  =====================================  ==========================================
runtime        reads                                  needs
=============  =====================================  ==========================================
``openvino``   ``network.tflite``, int8 from an IR    OpenVINO: the default on CPUs
``litert``     ``network.tflite``                     LiteRT, 20 MB: the edge
``keras``      ``weights.safetensors``                TensorFlow: XLA on a GPU, else its graph
=============  =====================================  ==========================================

OpenVINO reads the edge's file with its own front-end: nothing is converted when a runner starts,
and a runner carries neither Keras nor TensorFlow. Each engine is imported when it is asked for.
``KerasRuntime`` runs a network as it was trained and is the reference that all are checked against.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from models.runtime.choice import automatic, installed, share_gpu, supported
from models.runtime.cpus import usable_cpus
from models.runtime.engine import (
    CHOICES,
    PRECISIONS,
    RUNTIMES,
    Files,
    Precision,
    PrecisionChoice,
    Runtime,
    RuntimeChoice,
    RuntimeName,
    parse_name,
    runtime_name,
)
from models.runtime.keras import KerasRuntime

__all__ = [
    "CHOICES",
    "PRECISIONS",
    "RUNTIMES",
    "Files",
    "KerasRuntime",
    "Precision",
    "PrecisionChoice",
    "Runtime",
    "RuntimeChoice",
    "RuntimeName",
    "automatic",
    "installed",
    "open_network",
    "parse_name",
    "runtime_name",
    "share_gpu",
    "supported",
    "usable_cpus",
]

_ENGINES: Final[Mapping[RuntimeName, str]] = {name: f"models.runtime.{name}" for name in RUNTIMES}


def open_network(
    folder: Path, config: Mapping[str, Any], runtime: RuntimeName, precision: Precision = "f32"
) -> Runtime:
    """Return the network of an artefact's ``folder`` ready to run on this machine.

    ``config`` is the manifest's ``network``. Raises ImportError where the engine is not installed.
    """
    opened: Callable[[Path, Mapping[str, Any], Precision], Runtime]
    opened = import_module(_ENGINES[runtime]).open_network
    return opened(folder, config, precision)
