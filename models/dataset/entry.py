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


def label_of(text: str) -> Label | None:
    """Return the label that ``text`` names, in any case and with blanks around it."""
    return next((label for label in LABELS if text.strip().casefold() == label), None)


def as_label(text: str, where: str) -> Label:
    """Return the label that ``text`` names; ``where`` begins the message if it names none."""
    found = label_of(text)
    if found is not None:
        return found
    raise DatasetError(f"{where}: label {text[:32]!r}; allowed are {', '.join(LABELS)}")


def resolve_within(root: Path, name: str, where: str) -> Path:
    """Return the file ``name`` of the folder ``root``, its links resolved.

    A manifest comes with the images it lists. One that points elsewhere, by ``..``, an absolute
    path or a link, would train on files that its owner never meant to give. Windows writes
    backslashes between folders, which may also be in a name.
    """
    if "\\" in name and not (root / name).is_file():
        name = name.replace("\\", "/")
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
