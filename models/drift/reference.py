"""What scores and images looked like when the models were made: what drift is measured against.

Images: an artefact named ``reference``, made of the training images (``make train``, or ``python -m
models reference`` for models that are already there). It holds counts in quintiles and nothing of
any image. Scores: the stack's own manifest, which says how many images of each label came out as
normal, indeterminate and osteoporosis *out of fold*; the served models' scores on images that they
were trained on would be too sure of themselves to compare anything with.

The measure is the population stability index, ``Σ (a − e) ln(a / e)`` over bins, of the shares
``a`` now and ``e`` in the reference. While nothing has changed, it is about ``(1/m + 1/n)`` times a
χ² variable with ``bins − 1`` degrees of freedom, m and n being the images in the reference and now
(Yurdakul and Naranjo, Statistical properties of the population stability index, Journal of Risk
Model Validation); above 0.25 it is by custom a significant change.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from models import artifact
from models.artifact import Artifact, ArtifactError
from models.drift.statistics import STATISTICS, Statistic, describe
from models.manifest import ReferenceManifest, StackManifest

NAME: Final = "reference"
BINS: Final = 5
"""Of each statistic of images. More would be noise: the shipped reference is of 114 images."""

SMOOTHING: Final = 0.5
"""Images added to every bin of both sides: an empty one would make the index infinite."""

OUTCOMES: Final = ("normal", "indeterminate", "osteoporosis")
"""The bins of scores: below, within and above the stack's band."""


@dataclass(frozen=True)
class Bins:
    """Images by the value of one statistic: ``counts`` is one longer than ``edges``."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> Self:
        """Return ``values`` (n,) in quintiles, fewer where many are the same."""
        inner = np.linspace(0, 1, BINS + 1)[1:-1]
        edges = tuple(float(edge) for edge in np.unique(np.quantile(values, inner).round(4)))
        counts = np.bincount([bisect_right(edges, value) for value in values])
        return cls(edges, (*map(int, counts), *([0] * (len(edges) + 1 - len(counts)))))

    def place(self, value: float) -> int:
        return bisect_right(self.edges, value)


@dataclass(frozen=True)
class Reference:
    """``images`` is empty where no reference of the stack's own images is served.

    ``outcomes`` counts :data:`OUTCOMES` for the stack of version ``stack`` with all base models.
    """

    stack: str
    outcomes: tuple[int, ...]
    images: Mapping[Statistic, Bins]


def stability_index(reference: Sequence[int], found: Sequence[int]) -> float:
    """Return the population stability index of two counts over the same bins.

    Raises ValueError when they are not of one length.
    """
    sides = [[count + SMOOTHING for count in side] for side in (reference, found)]
    expected, actual = ([count / sum(side) for count in side] for side in sides)
    return sum((a - e) * math.log(a / e) for a, e in zip(actual, expected, strict=True))


def measure(images: NDArray[np.uint8]) -> dict[Statistic, Bins]:
    """Return the bins of each statistic of ``images`` (n, 224, 224) uint8."""
    described = [describe(image) for image in images]
    return {name: Bins.of(np.array([one[name] for one in described])) for name in STATISTICS}


def write(root: Path, images: NDArray[np.uint8], data: Mapping[str, Any]) -> Artifact:
    """Write the reference of ``images`` under ``root``; ``data`` says what they are."""
    measured = measure(images)
    statistics = {
        name: {"edges": list(bins.edges), "counts": list(bins.counts)}
        for name, bins in measured.items()
    }
    manifest = {"data": data, "statistics": statistics}
    files = {"card.md": _card(measured, data).encode()}
    return artifact.write(root, NAME, manifest, files, ReferenceManifest)


def served() -> Reference:
    """Return the reference of the stack that is served. Raises :class:`ArtifactError`."""
    root = artifact.artifacts_folder()
    stack = artifact.load("stack", root)
    combined = stack.facts(StackManifest)
    images: dict[Statistic, Bins] = {}
    if NAME in artifact.served(root):
        found = artifact.load(NAME, root).facts(ReferenceManifest)
        absent = [name for name in STATISTICS if name not in found.statistics]
        if absent:
            raise ArtifactError(f"the reference says nothing of {', '.join(absent)}")
        # Of other images than the stack's, it would say that those differ, which is known.
        if found.data.digest == combined.data.digest:
            for name in STATISTICS:
                bins = found.statistics[name]
                images[name] = Bins(bins.edges, bins.counts)
    labels = combined.classes.values()
    outcomes = tuple(sum(getattr(label, name) for label in labels) for name in OUTCOMES)
    return Reference(stack.version, outcomes, images)


def _card(measured: Mapping[Statistic, Bins], data: Mapping[str, Any]) -> str:
    total = sum(data["counts"].values())
    labels = ", ".join(f"{count} {label}" for label, count in data["counts"].items())
    rows = "\n".join(
        f"| {name} | {' · '.join(f'{edge:.4f}' for edge in bins.edges)} "
        f"| {' · '.join(map(str, bins.counts))} |"
        for name, bins in measured.items()
    )
    return f"""\
# Reference of images

How the images looked that the models were trained on, to notice when those of a site begin to look
otherwise. Counts in bins; nothing of any one image is kept.

{data["provenance"]}

{total} images ({labels}), {data["digest"]}.

| statistic | edges | images in each bin |
|---|---|---|
{rows}

## Limits

These images are one collection's, not a population's. An index that is high from the first day says
that a site's scanner or its export differs from theirs, and so that the models' figures may not
hold there; one that rises later says that something has changed.
"""
