"""One file that a source names, before it is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from models.dataset.dataset import DatasetError
from models.types import LABELS, Label


@dataclass(frozen=True)
class Entry:
    """``name`` is shown, ``path`` is opened.

    ``group`` is what the group is called if nothing else joins it; ``keys`` are grouping keys:
    entries that share one of them belong together.
    """

    name: str
    path: Path
    label: Label
    group: str
    keys: tuple[str, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)


def as_label(text: str, where: str) -> Label:
    """Return ``text`` if it is a label; ``where`` begins the message if not."""
    for label in LABELS:
        if text == label:
            return label
    raise DatasetError(f"{where}: label {text[:32]!r}; allowed are {', '.join(LABELS)}")


def resolve_within(root: Path, name: str, where: str) -> Path:
    """Return the file ``name`` of the folder ``root``, its links resolved.

    A manifest comes with the images it lists. One that points elsewhere, by ``..``, an absolute
    path or a link, would train on files that its owner never meant to give.
    """
    if not name or "\0" in name:
        raise DatasetError(f"{where} names no file")
    try:
        path = (root / name).resolve()
        exists = path.is_file()
    except (OSError, RuntimeError):
        # Too long a name, and links in a circle.
        raise DatasetError(f"{where} names a file that cannot be found") from None
    if not path.is_relative_to(root.resolve()):
        raise DatasetError(f"{where} points outside the folder; only files within it are allowed")
    if not exists:
        raise DatasetError(f"{where} names a file that does not exist")
    return path
