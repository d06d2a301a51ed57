"""Which room of ``models`` may import which, deferred imports included.

``make lint`` holds the same for what is imported at a distance (import-linter, ``pyproject.toml``).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import models

ROOT = Path(models.__file__).parent
SERVING = (
    "image", "reading", "gate", "vertebrae", "inference", "runtime", "explanation", "drift",
    "networks", "progression", "attenuation", "artifact.py", "manifest.py", "types.py", "files.py",
)  # fmt: skip
"""What a runner or the front may need."""

WORKSHOP = {"training", "dataset", "evaluation", "phantom", "cohort", "commands"}
"""What makes models, and measures them; in no image but for ``evaluation.schema``."""


def imported(path: Path) -> Iterator[str]:
    """Yield every module that the file names in an import, wherever it stands."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_what_serves_does_without_what_trains() -> None:
    files = [
        path
        for name in SERVING
        for path in ([ROOT / name] if name.endswith(".py") else (ROOT / name).rglob("*.py"))
    ]
    assert len(files) > 50

    found = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files
        for name in imported(path)
        if name.startswith("models.") and name.split(".")[1] in WORKSHOP
    }

    assert found == set()


def test_every_room_is_of_one_kind() -> None:
    rooms = {path.name for path in ROOT.iterdir() if (path / "__init__.py").exists()}

    assert rooms == {name for name in SERVING if not name.endswith(".py")} | WORKSHOP
