from __future__ import annotations

import imagehash
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from models.dataset import near_duplicates
from models.image import recipe
from models.phantom import HELD_OUT, TRAINING, draw
from models.training.augmentation import Augmentation


@pytest.fixture(scope="module")
def images() -> NDArray[np.uint8]:
    rng = np.random.default_rng(17)
    drawn = [draw(rng, None, (TRAINING, HELD_OUT)[n % 2]) for n in range(24)]
    return np.array([recipe.frame(phantom.scan) for phantom in drawn])


@pytest.fixture(scope="module")
def fingerprints(images: NDArray[np.uint8]) -> near_duplicates.Fingerprints:
    return near_duplicates.fingerprints(images)


def test_bits_are_those_of_imagehash(
    images: NDArray[np.uint8], fingerprints: near_duplicates.Fingerprints
) -> None:
    mirrored = len(near_duplicates.MOVES) + near_duplicates.AS_IS
    for image, views in zip(images, fingerprints.views, strict=True):
        for view, index in ((image, near_duplicates.AS_IS), (image[:, ::-1], mirrored)):
            expected = imagehash.phash(Image.fromarray(view), near_duplicates.SIDE).hash.ravel()
            assert np.array_equal(np.unpackbits(views[index].view(np.uint8)), expected)


def test_different_patients_are_unlike(fingerprints: near_duplicates.Fingerprints) -> None:
    assert list(near_duplicates.pairs(fingerprints)) == []
    apart = near_duplicates.distances(fingerprints, fingerprints)
    assert (np.diag(apart) == 0).all()
    assert np.array_equal(apart, apart.T)


def test_an_export_is_known_again(
    images: NDArray[np.uint8], fingerprints: near_duplicates.Fingerprints
) -> None:
    rng = np.random.default_rng(1)
    changed = [
        np.asarray(Image.fromarray(image).resize((150, 180)).resize((224, 224)), np.float32)
        for image in images
    ]
    noisy = np.array([image * 0.9 + 12 + rng.normal(0, 3, image.shape) for image in changed])
    again = near_duplicates.fingerprints(np.clip(noisy, 0, 255).astype(np.uint8))

    assert (np.diag(near_duplicates.distances(again, fingerprints)) <= near_duplicates.ALIKE).all()


def test_most_augmented_copies_are_known_again_and_none_is_taken_for_another(
    images: NDArray[np.uint8], fingerprints: near_duplicates.Fingerprints
) -> None:
    rng = np.random.default_rng(2)
    change = Augmentation()
    copies = near_duplicates.fingerprints(np.array([change.apply(image, rng) for image in images]))

    near = near_duplicates.distances(copies, fingerprints) <= near_duplicates.ALIKE

    assert np.diag(near).mean() > 0.6
    assert not (near & ~np.eye(len(images), dtype=bool)).any()


def test_an_image_of_one_grey_level_is_like_nothing() -> None:
    blank = near_duplicates.fingerprints(np.zeros((2, 224, 224), np.uint8))

    assert (near_duplicates.distances(blank, blank) == near_duplicates.BITS).all()
    assert list(near_duplicates.pairs(blank)) == []
