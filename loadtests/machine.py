"""What this machine was measured to serve: ``measured.json``, the one home of the load's rates."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

MEASURED: Final = Path(__file__).parent / "measured.json"


@dataclass(frozen=True, kw_only=True)
class Measured:
    """``requests_per_second`` of the mix, ``images_per_second`` of predictions alone.

    ``cpu_seconds_per_image`` is processor time by component, taken while images were judged eight
    at a time.
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
    """Say what machine this is, as far as it bears on speed."""
    return {
        "cpus": len(os.sched_getaffinity(0)),
        "processor": _processor(),
        "python": platform.python_version(),
    }


def today() -> str:
    return datetime.now(UTC).date().isoformat()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")),
        platform.processor() or "unknown",
    )
