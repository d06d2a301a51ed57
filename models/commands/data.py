"""What commands have in common that take labelled images: ``--data``, and a word on the rest."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from models.dataset import counted
from models.dataset.loading import WAY_ROUND
from models.dataset.series import SKIPPED


def path(text: str) -> Path:
    """Return the path that ``text`` is; ``~`` is known, which not every shell writes out."""
    return Path(text).expanduser()


def left_out(skipped: Mapping[str, int]) -> None:
    """Print in one line how many files were left out, and why."""
    if skipped:
        declared = set(skipped) & set(SKIPPED.values())
        print(f"Left out: {counted(skipped)}{f'; {WAY_ROUND}' if declared else ''}.")
