"""Altered copies: other pixels, the same bone, and the same ones for the same seed."""

from __future__ import annotations

import numpy as np
import pytest

from models import artifact, phantom
from models.dataset import preparing
from models.dataset.copies import KINDS, altered, deep
from models.dataset.drawn import Drawn
from models.image import recipe
from models.image.scan import Scan
from models.inference.base import Outliner
from models.phantom import Artefact


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return phantom.draw(np.random.default_rng(4), artefact=Artefact.NONE, overlay=False).image


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_changes_pixels_or_size_and_nothing_else(kind: str, image: np.ndarray) -> None:
    one, again = (KINDS[kind](image, np.random.default_rng(3)) for _ in range(2))

    assert one.dtype == np.uint8
    assert np.array_equal(one, again)
    assert one.shape != image.shape or not np.array_equal(one, image)


def test_twelve_bits_are_the_same_frame(image: np.ndarray) -> None:
    assert np.array_equal(recipe.frame(deep(image)), recipe.frame(Scan(image, 8, "png")))


def test_copies_are_drawn_anew_and_alike_for_one_seed(image: np.ndarray) -> None:
    made = [altered(image, np.random.default_rng(seed)) for seed in (1, 1, 2)]

    assert np.array_equal(made[0], made[1])
    assert made[0].shape != made[2].shape or not np.array_equal(made[0], made[2])


def test_canonical_copies_come_by_image_and_round() -> None:
    rng = np.random.default_rng(8)
    drawn = [phantom.draw(rng, artefact=Artefact.NONE, overlay=False) for _ in range(2)]
    outline = Outliner(artifact.load("vertebrae", artifact.FOLDER)).outline
    scans = [one.scan for one in drawn]
    nothing = np.zeros((224, 224), np.uint8)
    lines = Drawn(recipe.frame(scans[0]), nothing, nothing > 0)

    copies = preparing.copies(scans, [lines, None], outline, 3, seed=5)

    assert copies.shape == (2, 3, 224, 224)
    where = (recipe.ROWS, recipe.COLUMNS)
    for one, of in zip(drawn, copies, strict=True):
        # The same bone at the same place: nearer to its own scan than to the other's.
        other = drawn[1] if one is drawn[0] else drawn[0]
        mine, its = (
            np.median([np.abs(c[where].astype(int) - x.canonical[where]).mean() for c in of])
            for x in (one, other)
        )
        assert mine < its
