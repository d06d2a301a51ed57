from __future__ import annotations

import ast
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

FORBIDDEN = (
    "tensorflow", "keras", "openvino", "bentoml", "sklearn", "scipy", "shap", "matplotlib",
)  # fmt: skip


FLOORS: tuple[tuple[str, ...], ...] = (
    ("errors", "clock", "paths", "timing", "types"),
    ("flow", "language"),
    ("http", "observability", "decoding"),
)
"""The house's lower floors, from the ground: what lies on one imports it and those below."""


def imported(file: Path) -> set[str]:
    """Return the rooms of ``service`` that ``file`` imports."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            package, *rest = node.module.split(".")
            if package == "service":
                found |= set(rest[:1]) or {name.name for name in node.names}
    return found


@pytest.mark.parametrize("floor", range(len(FLOORS)))
def test_lower_floors_import_nothing_from_above(floor: int) -> None:
    below = {room for rooms in FLOORS[: floor + 1] for room in rooms}
    for room in FLOORS[floor]:
        place = Path("service") / room
        files = list(place.glob("**/*.py")) if place.is_dir() else [place.with_suffix(".py")]
        for file in files:
            assert imported(file) <= below, file


def test_settings_need_little() -> None:
    """They are read before anything else, by every command."""
    code = "import sys, service.settings; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    loaded = set(found.stdout.split())
    assert not loaded & {"babel", "fastapi", "markdown_it", "sqlalchemy", "service.exams.schemas"}


def test_the_front_needs_no_model_library() -> None:
    code = textwrap.dedent(f"""
        import importlib, pkgutil, sys

        class Wall:
            def find_spec(self, name, path=None, target=None):
                if name.partition(".")[0] in {FORBIDDEN}:
                    raise ImportError(f"{{name}} must not be imported by the front")

        sys.meta_path.insert(0, Wall())
        import service

        names = [m.name for m in pkgutil.walk_packages(service.__path__, "service.")]
        skipped = ("service.__main__", "service.storage.migrations.env")
        for name in names:
            if name not in skipped:
                importlib.import_module(name)
        print(len(names))
    """)
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 25
