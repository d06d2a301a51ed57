"""One door for images on disk, whatever says which is what."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np

from models import artifact
from models.dataset import (
    drawn,
    folder,
    grouping,
    manifest,
    near_duplicates,
    preparing,
    series,
    tree,
)
from models.dataset.dataset import Dataset, DatasetError
from models.dataset.drawn import Drawn
from models.dataset.entry import Entry
from models.dataset.faults import Faults, counted
from models.gate import declared
from models.image import recipe
from models.image.cropping import crop
from models.image.errors import ScanError
from models.image.scan import Scan
from models.inference.base import Outliner
from models.inference.preparation import Outline, prepare
from models.reading import read
from models.types import LABELS, Label

NOT_FOUND: Final = "no vertebrae found"
"""Why an image that could be read is left out, as :attr:`Dataset.skipped` counts it."""
WAY_ROUND: Final = (
    "where that is a mistake, correct Body Part Examined and View Position, or export the image "
    "as PNG"
)
"""What to do where a file says that it shows something else."""


@dataclass(frozen=True, eq=False)
class Source:
    """The labelled images at ``path``, read and not prepared yet: fields of one length and order.

    ``groups`` are known before any network has looked at an image. ``skipped`` counts, by reason,
    the files that were left out.
    """

    path: Path
    entries: Sequence[Entry]
    scans: Sequence[Scan]
    digests: Sequence[str]
    fingerprints: near_duplicates.Fingerprints
    skipped: Mapping[str, int]

    @property
    def labels(self) -> tuple[Label, ...]:
        return tuple(entry.label for entry in self.entries)

    @property
    def groups(self) -> tuple[str, ...]:
        return self.grouped(range(len(self.entries)))

    def grouped(self, indices: Sequence[int]) -> tuple[str, ...]:
        """Return the groups of the images at ``indices``, where there are no others."""
        entries = [self.entries[i] for i in indices]
        keys = [(*self.entries[i].keys, f"content {self.digests[i]}") for i in indices]
        likeness = self.fingerprints.select(indices)
        return grouping.groups([entry.group for entry in entries], keys, likeness)


def gather(path: Path) -> Source:
    """Return the labelled images at ``path``, of which no network has seen anything.

    ==========================  ===============================================================
    a CSV file                  see :mod:`models.dataset.manifest`
    folder with manifest.csv    the same
    folder with labels.csv      a tree of DICOM files, see :mod:`models.dataset.series`
    any other folder            one sub-folder a label, see :mod:`models.dataset.folder`
    ==========================  ===============================================================

    Every file is read, refused or counted. Raises :class:`DatasetError`, naming all lines and files
    that are wrong.
    """
    skipped: Counter[str] = Counter()
    listed, scans, digests = [], [], []
    for entry, scan, digest in images(path, skipped):
        said = next((reason for reason in declared.reasons(scan.tags) if reason.refuses), None)
        if said is not None:
            skipped[series.SKIPPED[said]] += 1
            continue
        listed.append(entry)
        scans.append(scan)
        digests.append(digest)
    if not listed:
        raise DatasetError(
            f"every image in {path} says that it shows something else than an AP lumbar spine; "
            f"{WAY_ROUND}"
        )
    # Of whole frames: canonical images are alike by intention.
    frames = np.stack([recipe.frame(crop(scan).scan) for scan in scans])
    fingerprints = near_duplicates.fingerprints(frames)
    return Source(path, listed, scans, digests, fingerprints, dict(skipped))


def load(
    source: Path | Source, outline: Outline | None = None, copies: int = 0, seed: int = 0
) -> Dataset:
    """Return the labelled images of ``source``, or at that path, prepared by the recipe.

    ``outline`` finds the vertebrae, by default as the served network does; ``copies`` altered ones
    of each file come along. An image without a spine is left out and counted as skipped.

    Images are in one group when the source says so, when their files are the same, or when they
    look alike (:mod:`models.dataset.near_duplicates`): groups that the source keeps apart are
    merged by the latter two. Of a source that says nothing of patients only these are known, which
    is honest only if no patient was scanned twice.

    Raises :class:`DatasetError`, as :func:`gather` does.
    """
    source = gather(source) if isinstance(source, Path) else source
    outline = outline or served_outline()
    found = [one.canonical for one in prepare(source.scans, outline)]
    kept = [index for index, canonical in enumerate(found) if canonical is not None]
    if not kept:
        raise DatasetError(f"no lumbar spine was found in any image of {source.path}")
    skipped = dict(source.skipped)
    if len(kept) < len(found):
        skipped[NOT_FOUND] = len(found) - len(kept)
    listed, scans = [source.entries[i] for i in kept], [source.scans[i] for i in kept]
    altered = np.zeros((0, 0, 0, 0), np.uint8)
    if copies:
        lines = [drawn.read(entry.path, scan) for entry, scan in zip(listed, scans, strict=True)]
        altered = preparing.copies(scans, lines, outline, copies, seed)
    names = list(dict.fromkeys(chain.from_iterable(entry.attributes for entry in listed)))
    return Dataset(
        images=np.stack([canonical for canonical in found if canonical is not None]),
        labels=tuple(entry.label for entry in listed),
        groups=source.grouped(kept),
        names=tuple(entry.name for entry in listed),
        digests=tuple(source.digests[i] for i in kept),
        attributes={n: tuple(entry.attributes.get(n, "") for entry in listed) for n in names},
        skipped=skipped,
        frame_fingerprints=source.fingerprints.select(kept),
        copies=altered,
    )


def outlines(path: Path) -> list[Drawn]:
    """Return what scanners have drawn into the images at ``path``, of those where it can be told.

    Raises :class:`DatasetError` as :func:`gather` does.
    """
    found = (drawn.read(entry.path, scan) for entry, scan, _ in images(path))
    return [lines for lines in found if lines is not None]


def images(path: Path, skipped: Counter[str] | None = None) -> list[tuple[Entry, Scan, str]]:
    """Return each labelled image at ``path`` with its file's SHA-256; ``skipped`` counts the rest.

    Raises :class:`DatasetError` as :func:`gather` does.
    """
    skipped, faults = Counter() if skipped is None else skipped, Faults()
    listed = entries(path, skipped, faults)
    found: list[tuple[Entry, Scan, str]] = []
    first: dict[str, Entry] = {}
    for entry in listed:
        try:
            data = entry.path.read_bytes()
            scan = read(data)
        except (ScanError, OSError) as error:
            said = f"cannot be read: {error.strerror}" if isinstance(error, OSError) else str(error)
            faults.add(f"{entry.name}: {said}")
            continue
        digest = hashlib.sha256(data).hexdigest()
        found.append((entry, scan, digest))
        twin = first.setdefault(digest, entry)
        if twin.label != entry.label:
            faults.add(
                f"{twin.name} and {entry.name} are the same file, "
                f"labelled {twin.label} and {entry.label}"
            )
    faults.check()
    if not found:
        raise DatasetError(
            f"no labelled images in {path}; expected {'/, '.join(LABELS)}/, or a list in "
            f"{manifest.NAME} or {series.NAME}; skipped were {counted(skipped)}"
        )
    return found


def served_outline() -> Outline:
    """Return how the served network outlines vertebrae."""
    return Outliner(artifact.load("vertebrae")).outline


def entries(path: Path, skipped: Counter[str], faults: Faults) -> list[Entry]:
    """Return the labelled files at ``path``, not read yet; ``skipped`` counts what lies beside.

    What cannot be used is ``faults``. Raises :class:`DatasetError` where there is nothing to list.
    """
    if path.is_file():
        return list(manifest.entries(path, faults))
    if not path.is_dir():
        raise DatasetError(f"{path} does not exist; a folder or a CSV file is needed")
    listed, labelled = path / manifest.NAME, path / series.NAME
    if listed.exists() and labelled.exists():
        raise DatasetError(f"{path} has both {manifest.NAME} and {series.NAME}; one is needed")
    if labelled.exists():
        return list(series.entries(path, skipped, faults))
    if not listed.exists():
        return list(folder.entries(path, skipped, faults))
    found = list(manifest.entries(listed, faults))
    # Besides the list itself.
    beside = tree.count(path) - len(found) - 1
    if beside > 0:
        skipped[f"not in {manifest.NAME}"] += beside
    return found
