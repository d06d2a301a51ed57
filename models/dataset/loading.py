"""One door for images on disk, whatever says which is what."""

from __future__ import annotations

import hashlib
from collections import Counter
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np

from models import artifact
from models.dataset import drawn, folder, grouping, manifest, near_duplicates, preparing, series
from models.dataset.dataset import Dataset, DatasetError
from models.dataset.drawn import Drawn
from models.dataset.entry import Entry
from models.gate import declared
from models.image.errors import ScanError
from models.inference.base import Outliner
from models.inference.preparation import Outline, prepare
from models.reading import read
from models.types import LABELS

NOT_FOUND: Final = "no vertebrae found"
"""Why an image that could be read is left out, as :attr:`Dataset.skipped` counts it."""


def load(path: Path, outline: Outline | None = None, copies: int = 0, seed: int = 0) -> Dataset:
    """Return the labelled images at ``path``, prepared by the recipe.

    ``outline`` finds the vertebrae, by default as the served network does; ``copies`` altered ones
    of each file come along. An image without a spine is left out and counted as skipped.

    ==========================  ===============================================================
    a CSV file                  see :mod:`models.dataset.manifest`
    folder with manifest.csv    the same
    folder with labels.csv      a tree of DICOM files, see :mod:`models.dataset.series`
    any other folder            one sub-folder a label, see :mod:`models.dataset.folder`
    ==========================  ===============================================================

    Images are in one group when the source says so, when their files are the same, or when they
    look alike (:mod:`models.dataset.near_duplicates`): groups that the source keeps apart are
    merged by the latter two. Of a source that says nothing of patients only these are known, which
    is honest only if no patient was scanned twice.

    Raises :class:`DatasetError`, naming the line or the file.
    """
    skipped: Counter[str] = Counter()
    listed = entries(path, skipped)
    if not listed:
        raise DatasetError(f"no labelled images in {path}; expected {'/, '.join(LABELS)}/")
    digests, scans, shown = [], [], []
    for entry in listed:
        data = entry.path.read_bytes()
        try:
            scan = read(data)
        except ScanError as error:
            raise DatasetError(f"{entry.name}: {error}") from error
        said = next((reason for reason in declared.reasons(scan.tags) if reason.refuses), None)
        if said is not None:
            skipped[series.SKIPPED[said]] += 1
            continue
        digests.append(hashlib.sha256(data).hexdigest())
        scans.append(scan)
        shown.append(entry)
    if not shown:
        raise DatasetError(
            f"every image in {path} says that it shows something else than an AP lumbar spine; "
            "where that is a mistake, correct Body Part Examined and View Position"
        )
    listed = shown
    _contradictions(listed, digests)
    outline = outline or served_outline()
    found = list(prepare(scans, outline))
    kept = [index for index, one in enumerate(found) if one.canonical is not None]
    if not kept:
        raise DatasetError(f"no lumbar spine was found in any image of {path}")
    if len(kept) < len(listed):
        skipped[NOT_FOUND] += len(listed) - len(kept)
    listed = [listed[i] for i in kept]
    digests, scans = [digests[i] for i in kept], [scans[i] for i in kept]
    images = np.stack([one.canonical for one in found if one.canonical is not None])
    altered = np.zeros((0, 0, 0, 0), np.uint8)
    if copies:
        lines = [drawn.read(entry.path, scan) for entry, scan in zip(listed, scans, strict=True)]
        altered = preparing.copies(scans, lines, outline, copies, seed)
    # Of whole frames: canonical images are alike by intention.
    fingerprints = near_duplicates.fingerprints(np.stack([found[i].frame for i in kept]))
    keys = [(*entry.keys, f"content {of}") for entry, of in zip(listed, digests, strict=True)]
    names = list(dict.fromkeys(chain.from_iterable(entry.attributes for entry in listed)))
    return Dataset(
        images=images,
        labels=tuple(entry.label for entry in listed),
        groups=grouping.groups([entry.group for entry in listed], keys, fingerprints),
        names=tuple(entry.name for entry in listed),
        digests=tuple(digests),
        attributes={n: tuple(entry.attributes.get(n, "") for entry in listed) for n in names},
        skipped=dict(skipped),
        frame_fingerprints=fingerprints,
        copies=altered,
    )


def outlines(path: Path) -> list[Drawn]:
    """Return what scanners have drawn into the images at ``path``, of those where it can be told.

    Raises :class:`DatasetError` as :func:`load` does.
    """
    found = []
    for entry in entries(path):
        try:
            lines = drawn.read(entry.path, read(entry.path.read_bytes()))
        except ScanError as error:
            raise DatasetError(f"{entry.name}: {error}") from error
        if lines is not None:
            found.append(lines)
    return found


def served_outline() -> Outline:
    """Return how the served network outlines vertebrae."""
    return Outliner(artifact.load("vertebrae")).outline


def entries(path: Path, skipped: Counter[str] | None = None) -> list[Entry]:
    """Return the labelled files at ``path``, not read yet; ``skipped`` counts what lies beside.

    Raises :class:`DatasetError`.
    """
    skipped = Counter() if skipped is None else skipped
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
