"""A key in a file of the folder of state, where the settings name none."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path


def read(file: Path, *, make: bool) -> bytes | None:
    """Return the key in ``file``, made there where ``make`` says so; None: there is no file.

    Raises OSError.
    """
    if make:
        file.parent.mkdir(parents=True, exist_ok=True)
        _make(file)
    try:
        return file.read_bytes().strip()
    except FileNotFoundError:
        return None


def _make(file: Path) -> None:
    """Write a new key unless there is one: of two fronts that start at once the first one's."""
    if file.exists():
        return
    beside = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as made:
        made.write(secrets.token_hex(32))
    try:
        with suppress(FileExistsError):
            file.hardlink_to(beside)
    finally:
        beside.unlink()
