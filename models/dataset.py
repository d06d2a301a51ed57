"""Labelled images, prepared by the recipe, with the groups that a split must not tear apart."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models import recipe
from models.reading import read
from models.types import LABELS, Label

SEVERITY: Final[dict[Label, float]] = {"normal": 0.0, "osteopenia": 0.5, "osteoporosis": 1.0}
"""Training target. Osteopenia lies between (T −1.0 … −2.5, DOMAIN §1.1): as a soft label it teaches
the networks the direction, and in grouped cross-validation it raised the AUC of normal against
osteoporosis from 0.87 to 0.92 (VGG16 features) and from 0.87 to 0.91 (ResNet-56 and forest)."""

IMAGE_SUFFIXES: Final = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".dcm"}


class DatasetError(ValueError):
    """The folder or its manifest cannot be used for training."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """``images`` (n, 224, 224) uint8; the other fields are n long and in the same order.

    ``groups`` holds what must stay on one side of a split: a patient, or images nearly alike.
    ``digests`` holds the SHA-256 of each file as it came.
    """

    images: NDArray[np.uint8]
    labels: tuple[Label, ...]
    groups: tuple[str, ...]
    names: tuple[str, ...]
    digests: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def severity(self) -> NDArray[np.float32]:
        """(n,) float32 in 0…1, see :data:`SEVERITY`."""
        return np.array([SEVERITY[label] for label in self.labels], np.float32)

    @property
    def judged(self) -> NDArray[np.bool_]:
        """(n,): the images with a yes-or-no truth, that is all but osteopenia."""
        return np.array([label != "osteopenia" for label in self.labels])

    @property
    def osteoporosis(self) -> NDArray[np.bool_]:
        return np.array([label == "osteoporosis" for label in self.labels])

    @property
    def digest(self) -> str:
        """``sha256:…`` of every file's digest and label, in no particular order."""
        lines = sorted(f"{d} {label}" for d, label in zip(self.digests, self.labels, strict=True))
        return "sha256:" + hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def counts(self) -> dict[str, int]:
        found = Counter(self.labels)
        return {label: found[label] for label in LABELS}

    def select(self, indices: Sequence[int] | NDArray[np.intp]) -> Dataset:
        def chosen(values: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(values[i] for i in indices)

        return Dataset(
            images=self.images[np.asarray(indices, dtype=np.intp)],
            labels=tuple(self.labels[i] for i in indices),
            groups=chosen(self.groups),
            names=chosen(self.names),
            digests=chosen(self.digests),
        )


def load(folder: Path) -> Dataset:
    """Return the images of ``folder``, which holds one sub-folder a label.

    With a ``manifest.csv`` (columns ``path``, ``label`` and one of ``cv_block``, ``group``,
    ``patient``) groups come from it; without, each file is its own group, which is honest only if
    no patient was scanned twice. Raises :class:`DatasetError`, or the reader's
    :class:`~models.errors.ScanError` naming the file.
    """
    rows = list(_manifest(folder) if (folder / "manifest.csv").exists() else _listing(folder))
    if not rows:
        raise DatasetError(f"no labelled images in {folder}; expected {'/, '.join(LABELS)}/")
    images = np.empty((len(rows), recipe.SIDE, recipe.SIDE), np.uint8)
    digests = []
    for index, (name, _, _) in enumerate(rows):
        data = (folder / name).read_bytes()
        digests.append(hashlib.sha256(data).hexdigest())
        images[index] = recipe.prepare(read(data))
    names, labels, groups = zip(*rows, strict=True)
    return Dataset(images, labels, groups, names, tuple(digests))


def _manifest(folder: Path) -> Iterator[tuple[str, Label, str]]:
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        fields = set(reader.fieldnames or ())
        column = next((c for c in ("cv_block", "group", "patient") if c in fields), None)
        if column is None or not {"path", "label"} <= fields:
            raise DatasetError(
                f"manifest.csv has columns {', '.join(sorted(fields))}; "
                "needed are path, label and one of cv_block, group, patient"
            )
        for row in reader:
            yield row["path"], _label(row["label"]), row[column]


def _listing(folder: Path) -> Iterator[tuple[str, Label, str]]:
    for label in LABELS:
        for path in sorted((folder / label).glob("*")):
            if path.suffix.lower() in IMAGE_SUFFIXES:
                name = path.relative_to(folder).as_posix()
                yield name, label, name


def _label(text: str) -> Label:
    for label in LABELS:
        if text == label:
            return label
    raise DatasetError(f"label {text!r} in manifest.csv; allowed are {', '.join(LABELS)}")
