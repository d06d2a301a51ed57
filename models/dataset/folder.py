"""A folder with one sub-folder a label, and nothing said of patients.

Sub-folders bear a label's name in any case, with blanks around it. What lies in them, at any depth,
is an image by its content, whatever it is called. A file that is called like an image and is none
is refused when it is read; the others are counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from models.dataset import tree
from models.dataset.entry import Entry, label_of
from models.dataset.faults import Faults
from models.files import is_leftover
from models.reading import SNIFFED, sniff
from models.types import LABELS, Label

IMAGE_SUFFIXES: Final = {".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".tif", ".tiff", ".dcm"}

UNLABELLED: Final = "in no label's folder"
NO_IMAGE: Final = "no PNG, JPEG, TIFF or DICOM file"


def entries(root: Path, skipped: Counter[str], faults: Faults) -> Iterator[Entry]:
    """Yield the images in the labels' folders of ``root``, and count in ``skipped`` all else."""
    folders: dict[Label, list[Path]] = {label: [] for label in LABELS}
    for path in sorted(root.iterdir()):
        label = label_of(path.name) if path.is_dir() else None
        if label is not None:
            folders[label].append(path)
        elif path.name.startswith(".") or is_leftover(path.name):
            skipped[tree.HIDDEN] += tree.count(path)
        elif (beside := tree.count(path)) > 0:
            skipped[UNLABELLED] += beside

    def called(path: Path) -> str:
        return path.relative_to(root).as_posix()

    for label, found in folders.items():
        for folder in found:
            for path in tree.files(root, folder, skipped, faults, called):
                if is_image(path, faults, called(path)):
                    yield Entry(called(path), path, label, group=called(path))
                else:
                    skipped[NO_IMAGE] += 1


def is_image(path: Path, faults: Faults, name: str) -> bool:
    """Whether the file at ``path`` is, or is called like, an image that is read."""
    try:
        with path.open("rb") as file:
            begins = file.read(SNIFFED)
    except OSError as error:
        faults.add(f"{name} cannot be read: {error.strerror}")
        return False
    return sniff(begins) is not None or path.suffix.lower() in IMAGE_SUFFIXES
