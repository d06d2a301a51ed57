"""This machine: what bears on speed, and what it was measured to serve (``measured.json``)."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import psutil

MEASURED: Final = Path(__file__).parent / "measured.json"
FEATURES: Final = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8")
"""Of the processor's those that the engines ask for."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """``requests_per_second`` of the mix, ``images_per_second`` of predictions alone.

    ``cpu_seconds_per_image`` is processor time by component, with eight images at a time.
    """

    requests_per_second: float
    images_per_second: float
    cpu_seconds_per_image: dict[str, float]
    machine: dict[str, Any]
    measured_on: str

    @property
    def working_rate(self) -> float:
        """Half of what is served: what shapes call 1."""
        return self.requests_per_second / 2

    def write(self, path: Path = MEASURED) -> None:
        path.write_text(json.dumps(asdict(self), indent=2) + "\n", "utf-8")


def read(path: Path = MEASURED) -> Measured:
    return Measured(**json.loads(path.read_text("utf-8")))


def here() -> dict[str, Any]:
    """Return what machine this is. No names, no addresses."""
    facts = _cpuinfo()
    flags = facts.get("flags", "").split()
    return {
        "cpus": len(os.sched_getaffinity(0)),
        "processor": facts.get("model name") or platform.processor() or "unknown",
        "features": [name for name in FEATURES if name in flags],
        "memory_gb": round(psutil.virtual_memory().total / 1e9),
        "virtual": "hypervisor" in flags,
        "python": platform.python_version(),
    }


def now() -> datetime:
    return datetime.now(UTC)


def _cpuinfo() -> dict[str, str]:
    """Return the first processor's facts as Linux tells them; none elsewhere."""
    try:
        first, _, _ = Path("/proc/cpuinfo").read_text("utf-8").partition("\n\n")
    except OSError:
        return {}
    pairs = (line.partition(":") for line in first.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}
