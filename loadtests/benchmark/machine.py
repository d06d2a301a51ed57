"""The machine that a run was made on, as far as it bears on speed. No names, no addresses."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import psutil

from loadtests.benchmark.contender import ROOT, Contender
from models import artifact
from models.runtime import usable_cpus

TELLING: Final = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8")
"""Of the CPU's features those that the engines ask for."""


def machine() -> dict[str, Any]:
    facts = _cpu()
    flags = facts.get("flags", "").split()
    return {
        "cpu": facts.get("model name", platform.processor()),
        "cpus": os.cpu_count(),
        "usable_cpus": usable_cpus(),
        "features": [name for name in TELLING if name in flags],
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "virtual": "hypervisor" in flags,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def artefacts() -> dict[str, str]:
    return artifact.served(artifact.artifacts_folder())


def versions(contender: Contender) -> dict[str, str]:
    """Return package → version in the contender's environment."""
    return _versions(contender.python, contender.packages)


def limit_versions() -> dict[str, str]:
    return _versions(ROOT / ".venv/runners/bin/python", ("openvino", "numpy"))


def _versions(python: Path, packages: Iterable[str]) -> dict[str, str]:
    code = "import sys; from importlib.metadata import version as v; print(*map(v, sys.argv[1:]))"
    names = list(packages)
    done = subprocess.run(  # noqa: S603 - an environment of ours
        [str(python), "-c", code, *names], stdout=subprocess.PIPE, check=True, text=True
    )
    return dict(zip(names, done.stdout.split(), strict=True))


def _cpu() -> dict[str, str]:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    pairs = (line.partition(":") for line in lines)
    facts: dict[str, str] = {}
    for key, _, value in pairs:
        facts.setdefault(key.strip(), value.strip())
    return facts
