from __future__ import annotations

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "requirements"
LOCKS = sorted(FOLDER.glob("*.txt"))
COMPUTES = ("numpy", "keras", "openvino", "safetensors", "pillow", "scikit-learn")
TENSORFLOWS = ("tensorflow", "tensorflow-cpu")

each = pytest.mark.parametrize("lock", LOCKS, ids=[lock.stem for lock in LOCKS])


@each
def test_what_computes_is_the_same_everywhere(lock: Path) -> None:
    ours, theirs = pins(FOLDER / "dev.txt"), pins(lock)

    assert {name: theirs[name] for name in COMPUTES if name in theirs} == {
        name: ours[name] for name in COMPUTES if name in theirs
    }
    versions = {theirs[name] for name in TENSORFLOWS if name in theirs}
    assert versions <= {ours["tensorflow-cpu"]}


@each
def test_locks_hold_hashes_and_no_address(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")

    assert text.count("==") <= text.count("--hash=sha256:")
    assert "://" not in text


def test_a_gpu_is_trained_on_with_cuda_and_all_else_that_training_needs() -> None:
    cpu, gpu = pins(FOLDER / "dev.txt"), pins(FOLDER / "train-gpu.txt")

    # Both bring the same modules: together, whichever was installed last would compute.
    assert not set(TENSORFLOWS) <= set(cpu)
    assert "tensorflow" in gpu
    assert "tensorflow-cpu" not in gpu
    assert any(name.startswith("nvidia-cudnn") for name in gpu)
    assert {"nncf", "ai-edge-litert", "matplotlib", "tqdm", "pydicom"} <= set(gpu)


def pins(lock: Path) -> dict[str, str]:
    """Return package → version on Python 3.11."""
    pinned = re.findall(
        r"^([\w.-]+)==([^\s;]+)(?:\s*;\s*(.*?))?\s*\\$", lock.read_text(encoding="utf-8"), re.M
    )
    return {
        name: version
        for name, version, marker in pinned
        if "python_full_version >= '3.12'" not in marker
    }
