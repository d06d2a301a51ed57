"""What the benchmark knows of one contender."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

Component = Callable[[list[str]], str]
"""From a process's command line to the part of the contender that it is."""

ROOT: Final = Path(__file__).parents[2]
VAR: Final = ROOT / "var/benchmark"
"""Logs, references and results of runs that are not committed."""

Group = Literal["osteoserve", "plain", "peer", "limit"]
Topology = Literal["each", "one"]
"""``each``: every model hosted by itself behind a front. ``one``: all in one process."""

Engine = Literal["keras", "runtime"]
"""``keras``: Keras's own model, in float32. ``runtime``: what this project serves on."""


@dataclass(frozen=True)
class Command:
    """One process: ``{name}`` in ``arguments`` and ``environment`` is the port of that role.

    The first role of a contender is asked. ``ready`` is the path that answers 200 when it may be.
    """

    role: str
    arguments: tuple[str, ...]
    ready: str
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Contender:
    """``venv`` is a folder of ``.venv``; ``path`` takes an image file as the body of a POST.

    It answers JSON with ``probability`` and ``outcome``. ``packages`` are those whose versions are
    told. ``component`` names a process's part by its command line, None: by its role.
    """

    name: str
    title: str
    group: Group
    engine: Engine
    topology: Topology
    venv: str
    commands: tuple[Command, ...]
    path: str
    packages: tuple[str, ...]
    component: Component | None = None
    ports: tuple[str, ...] = ()
    """More ports than one a role, by name."""
    everywhere: bool = False
    """Whether it listens on every interface: it is then started in a network of its own alone."""

    @property
    def python(self) -> Path:
        return ROOT / ".venv" / self.venv / "bin/python"
