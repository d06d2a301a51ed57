"""``python -m k8s.wheel``: write the edge as one wheel, for amd64 and arm64, into ``var/wheel``.

Nothing of the project is compiled, so that what is in the edge's image of this repository is the
same everywhere; it lies below the package ``osteoserve_edge``. What ``requirements/edge.txt`` locks
is asked for in exactly its versions, and the lock itself, with its hashes, is in the wheel.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any, Final

from k8s import contents
from k8s.helm import ROOT
from k8s.wheel import PACKAGE, launcher

OUT: Final = ROOT / "var" / "wheel"
LOCK: Final = ROOT / "requirements" / "edge.txt"

_PINNED: Final = re.compile(r"^([\w.\[\]-]+==[^\\\n]+?)\s*\\?$", re.M)


def requirements() -> list[str]:
    """Return what the lock pins, each with the systems and Pythons that it is for."""
    return _PINNED.findall(LOCK.read_text("utf-8"))


def build(out: Path) -> Path:
    """Write the wheel into ``out`` and return its path.

    Raises :class:`subprocess.CalledProcessError` where it cannot be built, which pip has explained.
    """
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="osteoserve-wheel-") as folder:
        source, built = Path(folder, "source"), Path(folder, "built")
        _gather(source)
        pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "wheel"]
        # With the development environment's setuptools, which is locked.
        offline = ["--no-deps", "--no-index", "--no-build-isolation"]
        subprocess.run(  # noqa: S603 - our own words
            [*pip, *offline, "--wheel-dir", str(built), str(source)], check=True, env=_environment()
        )
        (wheel,) = built.iterdir()
        return Path(shutil.move(wheel, out / wheel.name))


def _gather(source: Path) -> None:
    """Put into ``source`` what setuptools makes the wheel of."""
    package = source / PACKAGE
    for path in contents.files("edge"):
        _copy(ROOT / path, package / launcher.LIB.name / path)
    _copy(Path(launcher.__file__), package / "__main__.py")
    _copy(LOCK, package / "requirements.txt")
    (package / "__init__.py").write_text(
        '"""The edge; what starts it is ``__main__``."""\n', "utf-8"
    )
    for name in ("LICENSE", "NOTICE"):
        _copy(ROOT / name, source / name)
    _copy(ROOT / "docs" / "edge.md", source / "README.md")
    (source / "pyproject.toml").write_text(_project(), "utf-8")


def _project() -> str:
    ours: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    tables: dict[str, dict[str, Any]] = {
        "build-system": {"requires": ["setuptools"], "build-backend": "setuptools.build_meta"},
        "project": {
            "name": "osteoserve-edge",
            "version": ours["version"],
            "description": "A second look at spine DXA scans, in one process and offline. "
            "Research use only.",
            "readme": "README.md",
            "license": ours["license"],
            "license-files": ["LICENSE", "NOTICE"],
            "requires-python": ours["requires-python"],
            "dependencies": requirements(),
        },
        "project.scripts": {
            "osteoserve": f"{PACKAGE}.__main__:main",
            "osteoserve-edge": f"{PACKAGE}.__main__:edge",
        },
        "tool.setuptools": {"packages": [PACKAGE], "include-package-data": False},
        "tool.setuptools.package-data": {
            PACKAGE: ["requirements.txt", f"{launcher.LIB.name}/**/*"]
        },
    }
    # Strings, lists of them and booleans are in TOML as they are in JSON.
    return "\n".join(
        f"[{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())
        for name, table in tables.items()
    )


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _environment() -> dict[str, str]:
    """Return this process's environment, with the commit's time for the files in the wheel."""
    told = subprocess.run(
        ["git", "log", "-1", "--format=%ct"],  # noqa: S607 - whichever git there is
        cwd=ROOT, check=False, capture_output=True, text=True,
    )  # fmt: skip
    at = told.stdout.strip() or "315532800"  # 1980, before which a zip knows no time
    return {"SOURCE_DATE_EPOCH": at, **os.environ}


def main() -> int:
    wheel = build(OUT)
    print(f"{wheel.relative_to(ROOT)}: {wheel.stat().st_size / 1e6:.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
