"""A folder with one sub-folder a label, and nothing said of patients."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from models.dataset.entry import Entry, resolve_within
from models.types import LABELS

IMAGE_SUFFIXES: Final = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".dcm"}


def entries(root: Path) -> Iterator[Entry]:
    for label in LABELS:
        for path in sorted((root / label).glob("*")):
            if path.suffix.lower() in IMAGE_SUFFIXES:
                name = path.relative_to(root).as_posix()
                yield Entry(name, resolve_within(root, name, name), label, group=name)
