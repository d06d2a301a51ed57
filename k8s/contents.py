"""What of this repository is in an image, by its Dockerfile and by what its build may see."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Final

from k8s.helm import ROOT

IMAGES: Final = ROOT / "k8s" / "images"


def files(name: str) -> frozenset[str]:
    """Return the files of the repository that image ``name`` holds, by their path from its root.

    ``name`` is the Dockerfile's.
    """
    rules = [
        line.rstrip("/")
        for line in (IMAGES / f"{name}.Dockerfile.dockerignore").read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    text = (IMAGES / f"{name}.Dockerfile").read_text("utf-8")
    copied = [
        source
        for sources, target in re.findall(r"^COPY (?!--from)(.*) (\S+)$", text, re.M)
        if not target.startswith("/build")  # what an earlier stage is built by
        for source in sources.split()
    ]
    return frozenset(
        path
        for source in copied
        for path in _beneath(source)
        if not _ignored(PurePosixPath(path), rules)
    )


def _beneath(source: str) -> Iterator[str]:
    path = ROOT / source
    if path.is_file():
        yield source
    elif path.is_dir():
        for one in path.rglob("*"):
            if one.is_file():
                yield one.relative_to(ROOT).as_posix()


def _ignored(path: PurePosixPath, rules: Sequence[str]) -> bool:
    """Whether the last rule that is about ``path``, or a folder that it lies in, leaves it out."""
    ignored = False
    for rule in rules:
        shown, pattern = rule.startswith("!"), rule.removeprefix("!")
        if any(_is(one, pattern) for one in (path, *path.parents)):
            ignored = not shown
    return ignored


def _is(path: PurePosixPath, pattern: str) -> bool:
    return _parts(path.parts, tuple(pattern.split("/")))


def _parts(parts: tuple[str, ...], patterns: tuple[str, ...]) -> bool:
    if not patterns:
        return not parts
    if patterns[0] == "**":
        return any(_parts(parts[skip:], patterns[1:]) for skip in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], patterns[0]) and _parts(parts[1:], patterns[1:])
