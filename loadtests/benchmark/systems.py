"""The table of systems. ``servers/`` says how each of the others is written, and why so."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from loadtests.processes import ROOT

OURS: Final = "osteoserve"
ROOFLINE: Final = "roofline"  # No server: the bare runtime in a loop
VAR: Final = ROOT / "var/benchmark"  # Logs, references and results of runs that are not committed
ENGINES: Final[Mapping[str, tuple[str, ...]]] = {
    "keras": ("keras", "tensorflow-cpu"),
    "runtime": ("openvino",),
}
"""What computes, and the packages that it is: Keras in float32, or what this project serves on."""


@dataclass(frozen=True)
class System:
    """``{port}`` in ``arguments`` is where it listens.

    ``path`` takes an image file as a POST's body, ``ready`` answers 200 when it may be asked. One
    that listens on every interface is started in a network of its own alone.
    """

    name: str
    title: str
    venv: str
    arguments: tuple[str, ...]
    ready: str
    path: str = "/predict"
    packages: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    every_interface: bool = False

    @property
    def python(self) -> Path:
        return ROOT / ".venv" / self.venv / "bin/python"


def _server(name: str, title: str, module: str, ready: str, **more: Any) -> System:
    arguments = ("-m", f"loadtests.benchmark.servers.{module}", "{port}")
    return System(name, title, f"bench-{name}", arguments, ready, **more)


_RAY: Final[Mapping[str, str]] = {
    "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
    # One machine, no cluster: Ray then listens on loopback alone.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
}
_PEERS: Final = (
    _server(
        *("ray", "Ray Serve", "ray_serve", "/"),
        path="/",
        packages=("ray",),
        environment=_RAY,
        every_interface=True,
    ),
    _server("litserve", "LitServe", "lit_serve", "/health", packages=("litserve",)),
    _server("mlserver", "MLServer", "ml_server", "/v2/health/ready", packages=("mlserver",)),
)
_ALL: Final = (
    System(
        *(OURS, OURS, "front", ("-m", "service", "run", "--port", "{port}")),
        # Ready is a front that can answer at all; started, one that has seen every runner.
        ready="/health/startup",
        path="/api/v1/predictions",
        packages=("fastapi", "uvicorn", "aiohttp"),
        # Peers know no keys.
        environment={"OSTEOSERVE_AUTH": "none"},
    ),
    _server(
        *("plain", "FastAPI, keras.Model.predict", "plain", "/health"), packages=ENGINES["keras"]
    ),
    # A peer as documented, with Keras, and with our runtime; each a process a model.
    *(
        replace(
            peer,
            name=f"{peer.name}-{engine}",
            title=f"{peer.title}, {'Keras' if engine == 'keras' else 'our runtime'}",
            packages=(*peer.packages, *packages),
            environment={**peer.environment, "BENCH_ENGINE": engine},
        )
        for peer in _PEERS
        for engine, packages in ENGINES.items()
    ),
)
SYSTEMS: Final[Mapping[str, System]] = {system.name: system for system in _ALL}


def versions(python: Path, packages: tuple[str, ...]) -> dict[str, str]:
    """Return package → version in an environment."""
    code = "import sys; from importlib.metadata import version as v; print(*map(v, sys.argv[1:]))"
    said = subprocess.check_output([str(python), "-c", code, *packages], text=True)  # noqa: S603 - ours
    return dict(zip(packages, said.split(), strict=True))
