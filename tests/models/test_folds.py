from __future__ import annotations

import numpy as np
import pytest

from models import folds
from models.dataset import Dataset, DatasetError
from models.folds import LeakError
from models.types import LABELS


def dataset(groups_a_label: int = 6, images_a_group: int = 3) -> Dataset:
    rows = [
        (label, f"{label}-{group}", f"{label}/{group}-{image}.png")
        for label in LABELS
        for group in range(groups_a_label)
        for image in range(images_a_group)
    ]
    labels, groups, names = zip(*rows, strict=True)
    return Dataset(np.zeros((len(rows), 4, 4), np.uint8), labels, groups, names, names)


def test_no_group_is_torn_apart_and_every_image_is_held_out_once() -> None:
    data = dataset()

    splits = folds.grouped(data, 5, seed=1)

    held_out = np.concatenate([held for _, held in splits])
    assert sorted(held_out) == list(range(len(data)))
    for train, held in splits:
        assert {data.groups[i] for i in train}.isdisjoint(data.groups[i] for i in held)
        assert {data.labels[i] for i in held} == set(LABELS)


def test_one_seed_gives_the_same_folds() -> None:
    first, second = (folds.grouped(dataset(), 3, seed=9) for _ in range(2))

    assert all(np.array_equal(a[1], b[1]) for a, b in zip(first, second, strict=True))


def test_too_few_groups_are_refused_with_the_numbers() -> None:
    with pytest.raises(DatasetError, match="normal has 2 groups; 5 folds need 5"):
        folds.grouped(dataset(groups_a_label=2), 5, seed=1)


def test_a_shared_group_is_refused_with_both_names() -> None:
    with pytest.raises(LeakError, match=r"normal/0-1.png .* its group with normal/0-0.png"):
        folds.check(dataset(), (np.array([0]), np.array([1])))


def test_the_same_file_under_two_groups_is_refused() -> None:
    data = dataset()
    twin = Dataset(data.images, data.labels, data.groups, data.names, ("same",) * len(data))

    with pytest.raises(LeakError, match="its content"):
        folds.check(twin, (np.array([0]), np.array([20])))
