"""What is wrong with a source: gathered, so that it is named all at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from models.dataset.dataset import DatasetError

NAMED: Final = 10
"""So many a message names; the rest is counted."""


class Faults:
    """Sentences, each about one file or line."""

    def __init__(self) -> None:
        self._said: list[str] = []

    def add(self, sentence: str) -> None:
        self._said.append(sentence)

    def check(self) -> None:
        """Raise :class:`DatasetError` where there are any."""
        if len(self._said) == 1:
            raise DatasetError(self._said[0])
        if self._said:
            named = [f"{len(self._said)} things are wrong:", *self._said[:NAMED]]
            if len(self._said) > NAMED:
                named.append(f"and {len(self._said) - NAMED} more")
            raise DatasetError("\n  ".join(named))


def counted(skipped: Mapping[str, int]) -> str:
    """Return ``skipped`` in one line: ``3 files (no label), 1 files (not DICOM)``; or ``none``."""
    return ", ".join(f"{count} files ({why})" for why, count in skipped.items()) or "none"
