"""Page and pictures beside ``results.json``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from loadtests.benchmark import picture, table
from models.files import replace


def documents(results: Mapping[str, Any]) -> dict[str, bytes]:
    """Return file's name → content, from ``results`` as they were read."""
    return {table.FILE: table.table(results).encode(), **picture.pictures(results)}


def write(folder: Path, results: Mapping[str, Any]) -> None:
    for name, content in documents(results).items():
        replace(folder / name, content)
