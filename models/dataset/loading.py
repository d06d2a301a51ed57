"""One door for images on disk, whatever says which is what."""

from __future__ import annotations

import hashlib
from collections import Counter
from itertools import chain
from pathlib import Path

import numpy as np

from models import recipe
from models.dataset import folder, grouping, likeness, manifest, series
from models.dataset.dataset import Dataset, DatasetError
from models.dataset.entry import Entry
from models.errors import ScanError
from models.reading import read
from models.types import LABELS


def load(path: Path) -> Dataset:
    """Return the labelled images at ``path``, prepared by the recipe.

    ==========================  ===============================================================
    a CSV file                  see :mod:`models.dataset.manifest`
    folder with manifest.csv    the same
    folder with labels.csv      a tree of DICOM files, see :mod:`models.dataset.series`
    any other folder            one sub-folder a label, see :mod:`models.dataset.folder`
    ==========================  ===============================================================

    Images are in one group when the source says so, when their files are the same, or when they
    look alike (:mod:`models.dataset.likeness`): groups that the source keeps apart are merged by
    the latter two. Of a source that says nothing of patients only these are known, which is honest
    only if no patient was scanned twice.

    Raises :class:`DatasetError`, naming the line or the file.
    """
    skipped: Counter[str] = Counter()
    entries = _entries(path, skipped)
    if not entries:
        raise DatasetError(f"no labelled images in {path}; expected {'/, '.join(LABELS)}/")
    images = np.empty((len(entries), recipe.SIDE, recipe.SIDE), np.uint8)
    digests = []
    for index, entry in enumerate(entries):
        data = entry.path.read_bytes()
        digests.append(hashlib.sha256(data).hexdigest())
        try:
            images[index] = recipe.prepare(read(data))
        except ScanError as error:
            raise DatasetError(f"{entry.name}: {error}") from error
    _contradictions(entries, digests)
    marks = likeness.fingerprints(images)
    keys = [(*entry.kin, f"content {of}") for entry, of in zip(entries, digests, strict=True)]
    names = list(dict.fromkeys(chain.from_iterable(entry.attributes for entry in entries)))
    return Dataset(
        images=images,
        labels=tuple(entry.label for entry in entries),
        groups=grouping.groups([entry.group for entry in entries], keys, marks),
        names=tuple(entry.name for entry in entries),
        digests=tuple(digests),
        attributes={n: tuple(entry.attributes.get(n, "") for entry in entries) for n in names},
        skipped=dict(skipped),
        marks=marks,
    )


def _entries(path: Path, skipped: Counter[str]) -> list[Entry]:
    if path.is_file():
        return list(manifest.entries(path))
    if not path.is_dir():
        raise DatasetError(f"{path} does not exist; a folder or a CSV file is needed")
    listed, labelled = path / manifest.NAME, path / series.NAME
    if listed.exists() and labelled.exists():
        raise DatasetError(f"{path} has both {manifest.NAME} and {series.NAME}; one is needed")
    if listed.exists():
        return list(manifest.entries(listed))
    return list(series.entries(path, skipped) if labelled.exists() else folder.entries(path))


def _contradictions(entries: list[Entry], digests: list[str]) -> None:
    first: dict[str, Entry] = {}
    for entry, digest in zip(entries, digests, strict=True):
        twin = first.setdefault(digest, entry)
        if twin.label != entry.label:
            raise DatasetError(
                f"{twin.name} and {entry.name} are the same file, "
                f"labelled {twin.label} and {entry.label}"
            )
