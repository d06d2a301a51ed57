"""Every file below a folder: yielded, counted or refused, and none passed over in silence."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from models.dataset.faults import Faults
from models.files import is_leftover

HIDDEN: Final = "hidden, or left by a system"
NO_FILE: Final = "no regular file"


def files(
    root: Path,
    folder: Path,
    skipped: Counter[str],
    faults: Faults,
    called: Callable[[Path], str],
) -> Iterator[Path]:
    """Yield the files below ``folder``, which lies in ``root``, in the order of their names.

    Hidden files and what systems leave are counted in ``skipped``. Links are followed within
    ``root`` alone, and a folder is entered once; links out of it, or to nothing, and folders that
    cannot be read are ``faults``, in which a path is ``called`` so.
    """
    inside = root.resolve()
    entered: set[Path] = set()

    def walk(folder: Path) -> Iterator[Path]:
        real = folder.resolve()
        if real in entered:
            return
        entered.add(real)
        try:
            found = sorted(folder.iterdir())
        except OSError as error:
            faults.add(f"{called(folder)} cannot be read: {error.strerror}")
            return
        for path in found:
            if path.name.startswith(".") or is_leftover(path.name):
                skipped[HIDDEN] += count(path)
            elif path.is_symlink() and not path.exists():
                faults.add(f"{called(path)} is a link to nothing")
            elif path.is_symlink() and not path.resolve().is_relative_to(inside):
                faults.add(
                    f"{called(path)} points outside the folder; it is a link to outside the "
                    "folder, and only files within it are allowed"
                )
            elif path.is_dir():
                yield from walk(path)
            elif path.is_file():
                yield path
            else:
                skipped[NO_FILE] += 1

    return walk(folder)


def count(path: Path) -> int:
    """Return how many files are at ``path``: 1, or those below it where it is a folder."""
    if path.is_symlink() or not path.is_dir():
        return 1
    return sum(len(names) for _, _, names in os.walk(path))
