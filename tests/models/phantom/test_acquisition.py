"""What grey levels tell: like real exports, something of BMD and not all."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from models.image import recipe
from models.phantom import HELD_OUT, TRAINING, Nuisance, Phantom, draw
from models.phantom.reference import Label

CLASSES: tuple[Label, ...] = ("normal", "osteoporosis") * 60
Sample = list[tuple[Phantom, bool]]


def auc(scores: NDArray[np.float64], truth: NDArray[np.bool_]) -> float:
    pairs = scores[truth][:, None] - scores[~truth][None, :]
    return float(((pairs > 0) + 0.5 * (pairs == 0)).mean())


@pytest.fixture(scope="module", params=[TRAINING, HELD_OUT], ids=["training", "held out"])
def sample(request: pytest.FixtureRequest) -> Sample:
    nuisance: Nuisance = request.param
    rng = np.random.default_rng(31)
    return [(draw(rng, label, nuisance), label == "osteoporosis") for label in CLASSES]


def in_the_spine(phantom: Phantom) -> float:
    return float(phantom.image[phantom.spine_mask].mean())


def spread_of_the_canonical_image(phantom: Phantom) -> float:
    return float(recipe.frame(phantom.scan).std())


@pytest.mark.parametrize("feature", [in_the_spine, spread_of_the_canonical_image])
def test_brightness_tells_something_and_not_all(
    sample: Sample, feature: Callable[[Phantom], float]
) -> None:
    scores = np.array([-feature(phantom) for phantom, _ in sample])
    truth = np.array([osteoporosis for _, osteoporosis in sample])
    assert 0.6 < auc(scores, truth) < 0.97


def test_spine_is_brighter_than_what_lies_beside_it(sample: Sample) -> None:
    for phantom, _ in sample:
        assert (
            phantom.image[phantom.spine_mask].mean()
            > 1.25 * phantom.image[~phantom.spine_mask].mean()
        )
