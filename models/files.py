"""Files that are there whole or not at all, and those that nobody put there."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import Final

_LEFTOVERS: Final = frozenset(
    {
        "__macosx", ".ds_store", ".appledouble", ".localized", ".fseventsd", ".spotlight-v100",
        ".temporaryitems", ".trashes", "icon\r", "thumbs.db", "ehthumbs.db", "desktop.ini",
        "$recycle.bin", "system volume information", ".directory", "@eadir",
    }
)  # fmt: skip
"""What macOS, Windows, KDE and Synology's DiskStation leave in folders."""


def is_leftover(name: str) -> bool:
    """Whether a system has left ``name`` beside somebody's files, as ``._scan.png`` or all that is
    in ``__MACOSX``. Folders before it count, with slashes of either kind."""
    return any(
        part.startswith("._") or part.lower() in _LEFTOVERS for part in re.split(r"[/\\]", name)
    )


def replace(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write ``content`` to ``path``, whose folder exists; a kill leaves the old content or the new.

    Raises :class:`OSError`.
    """
    handle, draft = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(draft).chmod(mode)
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
