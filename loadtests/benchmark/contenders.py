"""The table of contenders. ``servers/`` says how each peer is written, and why so."""

from __future__ import annotations

from typing import Final

from loadtests.benchmark.contender import Command, Contender
from models.types import BASES

LIMIT: Final = "limit"
"""No server: see ``limit``."""


def _ours(arguments: list[str]) -> str:
    """Return the part of this project that a process of ``make run`` is."""
    for name in (*BASES, "stack"):
        if name in arguments:
            return name
    return "front" if "serve" in arguments else "supervisor"


OSTEOSERVE: Final = Contender(
    name="osteoserve",
    title="osteoserve",
    group="osteoserve",
    engine="runtime",
    topology="each",
    venv="front",
    commands=(
        Command(
            "front",
            ("-m", "service", "run", "--port", "{front}"),
            ready="/health/ready",
        ),
    ),
    path="/api/v1/predictions",
    packages=("fastapi", "uvicorn", "httpx"),
    component=_ours,
)

CONTENDERS: Final[dict[str, Contender]] = {one.name: one for one in (OSTEOSERVE,)}

NAMES: Final = (*CONTENDERS, LIMIT)
