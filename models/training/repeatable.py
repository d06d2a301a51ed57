"""What makes a training come out again, and what its card says it takes."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Final

import tensorflow as tf

COMPUTING: Final = ("keras", "numpy", "scikit-learn", "openvino")
CPUS: Final = Path("/proc/cpuinfo")
VECTORS: Final = {"avx512f": "AVX-512", "avx2": "AVX2"}
"""Flag of /proc/cpuinfo → what it stands for, the widest first."""


def compute_in_one_order() -> None:
    """Let TensorFlow add up in the same order every time: same seed and processor, same weights.

    On a GPU, by TensorFlow's own account, it would otherwise take the sums of a gradient as they
    come, and what that rounds differently grows over some hundred steps. With it, the small network
    had the same weights twice on an H200, in each of three precisions (22 epochs on 85 scans). On
    CPUs it changed neither the weights nor the time (on 114 scans, two AVX-512 cores). It holds for
    the whole process and is called before anything is built.
    """
    tf.config.experimental.enable_op_determinism()


def facts() -> dict[str, str]:
    """Return what else could make another training come out otherwise; no time, which could not."""
    return {
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        **{package: version(package) for package in COMPUTING},
        "processor": processor(),
    }


def processor() -> str:
    """Return what computes: the GPU's name, else the CPU's, its widest vectors and the threads.

    Each of them orders sums otherwise: after four epochs on 48 phantoms the small network's weights
    differ with 1, 2 and 4 threads, and with AVX2 for AVX-512. Trained in float32, they do not
    depend on whether the CPU has bfloat16.
    """
    for device in tf.config.list_physical_devices("GPU"):
        return str(tf.config.experimental.get_device_details(device).get("device_name", "GPU"))
    told = _cpu()
    vectors = (name for flag, name in VECTORS.items() if flag in told.get("flags", "").split())
    threads = tf.config.threading.get_intra_op_parallelism_threads() or _cpus()
    parts = [told.get("model name", platform.machine()), *islice(vectors, 1), f"{threads} threads"]
    return ", ".join(parts)


def _cpu() -> dict[str, str]:
    """Return what Linux tells of the first CPU, nothing elsewhere."""
    if not CPUS.is_file():
        return {}
    first = CPUS.read_text(encoding="utf-8", errors="replace").split("\n\n")[0]
    pairs = (line.partition(":") for line in first.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def _cpus() -> int:
    """Return how many TensorFlow takes: those that this process may use, whatever their quota."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
