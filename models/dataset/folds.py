"""Splits that keep every group whole, and the check that they did.

A split comes before any augmentation: augmented copies are made of the training images alone, while
training (:mod:`models.training.augmentation`). A dataset that holds copies already is no dataset of
scans; those that :mod:`models.dataset.near_duplicates` recognises are refused on two sides of a
split.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from models.dataset import Dataset, DatasetError, near_duplicates
from models.types import LABELS, Label

Fold = tuple[NDArray[np.intp], NDArray[np.intp]]
"""Indices of the training and of the held-out images."""

NEEDED: Final[tuple[Label, ...]] = ("normal", "osteoporosis")
"""What models learn to tell apart."""

NAMED: Final = 10
"""So many leaks a message names; :attr:`LeakError.leaks` holds all."""


class Leak(NamedTuple):
    """``held_out`` and ``train`` are the names of two images, ``how`` what joins them."""

    held_out: str
    train: str
    how: str

    def __str__(self) -> str:
        return f"{self.held_out} is held out but {self.how} {self.train}"


class LeakError(DatasetError):
    """Something of the held-out images is in the training images too."""

    def __init__(self, leaks: Sequence[Leak]) -> None:
        self.leaks = tuple(leaks)
        named = "; ".join(map(str, self.leaks[:NAMED]))
        more = len(self.leaks) - NAMED
        super().__init__(f"{named}; and {more} more" if more > 0 else named)


def enough(labels: Sequence[Label], groups: Sequence[str], count: int) -> None:
    """Raise :class:`DatasetError` where images of these labels and groups make no ``count`` folds.

    Normal and osteoporosis are needed, to be told apart. A label of fewer groups than folds would
    be held out in none of some fold's images, whose score would then mean nothing.
    """
    held = {label: set[str]() for label in LABELS if label in {*NEEDED, *labels}}
    for label, group in zip(labels, groups, strict=True):
        held[label].add(group)
    few = [f"{label} has {len(of)} groups" for label, of in held.items() if len(of) < count]
    if few:
        raise DatasetError(
            f"{', '.join(few)}; {count} folds need {count} groups (patients, or scans that look "
            f"alike) of {' and of '.join(NEEDED)}, and as many of any other label"
        )


def grouped(data: Dataset, count: int, seed: int) -> list[Fold]:
    """Return ``count`` folds, balanced by label, no group on both sides.

    The same data and seed give the same folds. Raises :class:`DatasetError` as :func:`enough` does,
    and where groups are so unlike in size that some fold would have nothing to learn or to judge.
    """
    enough(data.labels, data.groups, count)
    splitter = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    folds = [
        (np.asarray(train), np.asarray(held_out))
        for train, held_out in splitter.split(data.images, data.labels, data.groups)
    ]
    for fold in folds:
        check(data, fold)
        train, held_out = fold
        if not len(held_out) or not set(NEEDED) <= {data.labels[i] for i in train}:
            raise DatasetError(
                f"no {count} folds can be made that keep groups whole: some of {len(data)} images "
                f"would leave no {' or no '.join(NEEDED)}; more groups are needed"
            )
    return folds


def check(data: Dataset, fold: Fold) -> None:
    """Raise :class:`LeakError` when anything of ``fold`` is on both sides.

    That is an image, a group, a file's content, or one scan in two files that look alike. Each
    held-out image is named with the first training image that it shares each of them with, and
    with every one that it looks like.
    """
    train, held_out = fold
    leaks = []
    for how, values in (
        ("is the same image as", tuple(map(str, range(len(data))))),
        ("shares its group with", data.groups),
        ("shares its content with", data.digests),
    ):
        seen = {values[i]: data.names[i] for i in reversed(train)}
        leaks += [Leak(data.names[i], seen[values[i]], how) for i in held_out if values[i] in seen]
    fingerprints = data.fingerprints
    apart = near_duplicates.distances(fingerprints.select(held_out), fingerprints.select(train))
    leaks += [
        Leak(data.names[held_out[h]], data.names[train[t]], "looks like")
        for h, t in np.argwhere(apart <= near_duplicates.ALIKE)
    ]
    if leaks:
        raise LeakError(leaks)
