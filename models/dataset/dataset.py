"""Labelled images in memory, with the groups that a split must not tear apart."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.dataset import near_duplicates
from models.types import LABELS, Label

SEVERITY: Final[dict[Label, float]] = {"normal": 0.0, "osteopenia": 0.5, "osteoporosis": 1.0}
"""Training target. Osteopenia lies between (T −1.0 … −2.5, domain.md §1.1): as a soft label it
teaches the networks the direction, and in grouped cross-validation it raised the AUC of normal
against osteoporosis from 0.87 to 0.92 (VGG16's features) and to 0.91 (ResNet-56's, a forest)."""

SYNTHETIC: Final = "synthetic"
"""What the attribute ``origin`` says of a phantom."""


class DatasetError(ValueError):
    """The images, or what is said of them, cannot be used for training."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """``images`` (n, 224, 224) uint8; the other fields are n long and in the same order.

    ``groups`` holds what must stay on one side of a split: a patient, or images nearly alike.
    ``digests`` holds the SHA-256 of each file as it came. ``copies`` (n, k, 224, 224) uint8 are the
    canonical images of altered copies of each file (:mod:`models.dataset.copies`).
    ``attributes`` holds what a subgroup table may ask for (:mod:`models.dataset.attributes`), ""
    where it is not known. ``frame_fingerprints`` are those of the images' frames, where they were
    made. ``skipped`` counts, by reason, the files that the source held besides.
    """

    images: NDArray[np.uint8]
    labels: tuple[Label, ...]
    groups: tuple[str, ...]
    names: tuple[str, ...]
    digests: tuple[str, ...]
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    skipped: Mapping[str, int] = field(default_factory=dict)
    frame_fingerprints: near_duplicates.Fingerprints | None = None
    copies: NDArray[np.uint8] = field(default_factory=lambda: np.zeros((0, 0, 0, 0), np.uint8))

    def __post_init__(self) -> None:
        columns = {
            "labels": self.labels,
            "groups": self.groups,
            "names": self.names,
            "digests": self.digests,
            **self.attributes,
        }
        for name, values in columns.items():
            if len(values) != len(self.images):
                raise ValueError(f"{len(values)} {name} for {len(self.images)} images")

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def views(self) -> NDArray[np.uint8]:
        """(1 + k, n, 224, 224) uint8: the images, then each round of copies."""
        if not self.copies.size:
            return self.images[None]
        return np.concatenate([self.images[None], self.copies.swapaxes(0, 1)])

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
    def synthetic(self) -> NDArray[np.bool_]:
        """(n,): the phantoms. A score on them is no evidence of clinical accuracy."""
        origins = self.attributes.get("origin", ("",) * len(self))
        return np.array([origin == SYNTHETIC for origin in origins])

    @property
    def digest(self) -> str:
        """``sha256:…`` of every file's digest and label, in no particular order."""
        lines = sorted(f"{d} {label}" for d, label in zip(self.digests, self.labels, strict=True))
        return "sha256:" + hashlib.sha256("\n".join(lines).encode()).hexdigest()

    @cached_property
    def fingerprints(self) -> near_duplicates.Fingerprints:
        """By which :mod:`models.dataset.near_duplicates` tells images that show the same scan."""
        return (
            near_duplicates.fingerprints(self.images)
            if self.frame_fingerprints is None
            else self.frame_fingerprints
        )

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
            attributes={name: chosen(values) for name, values in self.attributes.items()},
            skipped=self.skipped,
            frame_fingerprints=None
            if self.frame_fingerprints is None
            else self.frame_fingerprints.select(indices),
            copies=self.copies[np.asarray(indices, dtype=np.intp)]
            if self.copies.size
            else self.copies,
        )
