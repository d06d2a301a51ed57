"""A random split after augmentation claims what is not there; a grouped one does not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from models.dataset import Dataset, DatasetError
from models.phantom import draw
from models.training import leak
from models.types import Label

IMAGES = 16


def thumbnails(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """14×14 grey levels: enough to know an image again, quick to compute."""
    return images.reshape(-1, 14, 16, 14, 16).mean((2, 4), dtype=np.float32).reshape(-1, 196)


@pytest.fixture(scope="module")
def meaningless() -> Dataset:
    """Phantoms with labels dealt out in turn: there is nothing to learn but the images."""
    rng = np.random.default_rng(5)
    images = np.stack([draw(rng).canonical for _ in range(IMAGES)])
    labels: tuple[Label, ...] = ("normal", "osteoporosis") * (IMAGES // 2)
    names = tuple(f"{i}.png" for i in range(IMAGES))
    return Dataset(images, labels, names, names, names)


@pytest.fixture(scope="module")
def found(meaningless: Dataset) -> leak.Leak:
    return leak.measure(meaningless, thumbnails, seed=1)


def test_the_leaky_split_finds_what_is_not_there(found: leak.Leak) -> None:
    assert found.auroc > 0.8
    assert found.grouped_auroc < 0.65
    assert found.accuracy > found.grouped_accuracy + 0.15


def test_the_same_seed_gives_the_same_figures(meaningless: Dataset, found: leak.Leak) -> None:
    assert leak.measure(meaningless, thumbnails, seed=1) == found


def test_it_says_what_was_done(found: leak.Leak) -> None:
    assert f"{IMAGES} images" in found.description
    assert "random" in found.description


def test_one_side_alone_cannot_leak(meaningless: Dataset) -> None:
    normal = meaningless.select(np.arange(0, IMAGES, 2))

    with pytest.raises(DatasetError, match="osteoporosis has 0 groups"):
        leak.measure(normal, thumbnails, seed=1)
