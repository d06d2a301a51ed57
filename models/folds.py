"""Splits that keep every group whole, and the check that they did."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from models.dataset import Dataset, DatasetError

Fold = tuple[NDArray[np.intp], NDArray[np.intp]]
"""Indices of the training and of the held-out images."""


class LeakError(DatasetError):
    """Something of the held-out images is in the training images too."""


def grouped(data: Dataset, count: int, seed: int) -> list[Fold]:
    """Return ``count`` folds, balanced by label, no group on both sides.

    Raises :class:`DatasetError` when a label has fewer groups than folds: some fold would then
    hold none of it, and its score would mean nothing.
    """
    for label in sorted(set(data.labels)):
        groups = {g for g, of in zip(data.groups, data.labels, strict=True) if of == label}
        if len(groups) < count:
            raise DatasetError(f"{label} has {len(groups)} groups; {count} folds need {count}")
    splitter = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    folds = [
        (np.asarray(train), np.asarray(held_out))
        for train, held_out in splitter.split(data.images, data.labels, data.groups)
    ]
    for fold in folds:
        check(data, fold)
    return folds


def check(data: Dataset, fold: Fold) -> None:
    """Raise :class:`LeakError`, naming files, when a group or a file's content is on both sides."""
    train, held_out = fold
    for what, values in (("group", data.groups), ("content", data.digests)):
        seen = {values[i]: data.names[i] for i in train}
        for i in held_out:
            if values[i] in seen:
                raise LeakError(
                    f"{data.names[i]} is held out but shares its {what} with {seen[values[i]]}"
                )
