from __future__ import annotations

import numpy as np
import pytest

from models.dataset import Dataset, DatasetError, folds, phantoms
from models.dataset.folds import Leak, LeakError
from models.training.augmentation import Augmentation
from models.types import LABELS


def dataset(groups_a_label: int = 6, images_a_group: int = 3) -> Dataset:
    rows = [
        (label, f"{label}-{group}", f"{label}/{group}-{image}.png")
        for label in LABELS
        for group in range(groups_a_label)
        for image in range(images_a_group)
    ]
    labels, groups, names = zip(*rows, strict=True)
    # Blank images are like nothing: only what is said of them can leak here.
    return Dataset(np.zeros((len(rows), 4, 4), np.uint8), labels, groups, names, names)


@pytest.fixture(scope="module")
def drawn() -> Dataset:
    return phantoms(18, seed=6)


def among(data: Dataset, images: np.ndarray, said: str) -> Dataset:
    """Return ``data`` with ``images`` added, each as a group and a file of its own."""
    names = tuple(f"{said}/{number}.png" for number in range(len(images)))
    return Dataset(
        images=np.concatenate([data.images, images]),
        labels=(*data.labels, *data.labels[: len(images)]),
        groups=(*data.groups, *names),
        names=(*data.names, *names),
        digests=(*data.digests, *names),
    )


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
    with pytest.raises(DatasetError, match=r"normal has 2 groups, .*; 5 folds need 5"):
        folds.grouped(dataset(groups_a_label=2), 5, seed=1)


def test_a_shared_group_is_refused_with_both_names() -> None:
    with pytest.raises(LeakError, match=r"normal/0-1.png .* its group with normal/0-0.png"):
        folds.check(dataset(), (np.array([0]), np.array([1])))


def test_an_image_on_both_sides_is_refused() -> None:
    with pytest.raises(LeakError, match=r"normal/0-0.png .* is the same image as normal/0-0.png"):
        folds.check(dataset(), (np.array([0, 4]), np.array([0, 8])))


def test_every_leak_is_told_and_a_message_stays_short() -> None:
    data = dataset()
    half = len(data) // 2
    sides = np.arange(half), np.arange(half, len(data))
    same = Dataset(data.images, data.labels, ("one",) * len(data), data.names, data.digests)

    with pytest.raises(LeakError, match=rf"and {half - folds.NAMED} more$") as caught:
        folds.check(same, sides)

    leaks = caught.value.leaks
    assert {leak.held_out for leak in leaks} == set(data.names[half:])
    assert leaks[0] == Leak(data.names[half], data.names[0], "shares its group with")
    assert str(caught.value).count(";") == folds.NAMED


def test_the_same_file_under_two_groups_is_refused() -> None:
    data = dataset()
    twin = Dataset(data.images, data.labels, data.groups, data.names, ("same",) * len(data))

    with pytest.raises(LeakError, match="its content"):
        folds.check(twin, (np.array([0]), np.array([20])))


def test_different_patients_may_be_on_two_sides(drawn: Dataset) -> None:
    for fold in folds.grouped(drawn, 2, seed=1):
        folds.check(drawn, fold)


def test_a_scan_that_was_exported_twice_is_refused_with_both_names(drawn: Dataset) -> None:
    again = np.clip(drawn.images[:1].astype(np.int16) + 3, 0, 255).astype(np.uint8)
    data = among(drawn, again, "again")
    sides = np.arange(len(drawn)), np.array([len(drawn)])

    with pytest.raises(LeakError) as caught:
        folds.check(data, sides)

    assert caught.value.leaks == (Leak("again/0.png", drawn.names[0], "looks like"),)


def test_augmentation_before_the_split_is_refused(drawn: Dataset) -> None:
    rng = np.random.default_rng(3)
    copies = np.array([Augmentation().apply(image, rng) for image in drawn.images])
    data = among(drawn, copies, "augmented")

    with pytest.raises(LeakError) as caught:
        folds.grouped(data, 3, seed=1)

    for leak in caught.value.leaks:
        assert leak.how == "looks like"
        assert {leak.held_out.split("/")[0], leak.train.split("/")[0]} & {"augmented"}
