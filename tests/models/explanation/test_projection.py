from __future__ import annotations

import numpy as np
import pytest

from models.explanation.projection import project, spread
from models.inference.calibration import logit
from models.inference.forest import Forest
from models.training.forest import fit


@pytest.fixture(scope="module")
def forest() -> Forest:
    rng = np.random.default_rng(1)
    x = rng.random((80, 6), dtype=np.float32)
    return fit(x, (x[:, 2] > 0.5).astype(np.float32) * 0.8 + 0.1, seed=2)


@pytest.fixture(scope="module")
def feature_maps() -> np.ndarray:
    return np.random.default_rng(3).random((5, 8, 8, 6), dtype=np.float32)


def test_the_mean_of_the_map_is_the_logit_less_that_of_the_expected_value(
    forest: Forest, feature_maps: np.ndarray
) -> None:
    features = feature_maps.mean((1, 2))

    maps = project(forest, features, feature_maps)

    assert maps.shape == (5, 8, 8)
    assert maps.dtype == np.float32
    distance = logit(forest.severity(features)) - logit(forest.expected)
    assert maps.mean((1, 2)) == pytest.approx(distance, abs=1e-5)


def test_evidence_lies_where_the_channel_is() -> None:
    feature_maps = np.zeros((1, 4, 4, 2), np.float32)
    feature_maps[0, 1, 2, 0] = 3.0
    feature_maps[0, 3, 3, 1] = 2.0

    drawn = spread(np.array([[0.5, -0.25]]), feature_maps)[0]

    assert drawn[1, 2] == pytest.approx(0.5 * 16)
    assert drawn[3, 3] == pytest.approx(-0.25 * 16)
    assert np.count_nonzero(drawn) == 2


def test_a_silent_channel_is_spread_evenly_and_still_counts() -> None:
    feature_maps = np.zeros((1, 4, 4, 2), np.float32)
    feature_maps[0, 0, 0, 0] = 1.0

    drawn = spread(np.array([[0.5, 0.25]]), feature_maps)[0]

    assert drawn.mean() == pytest.approx(0.75)
    assert drawn[2, 2] == pytest.approx(0.25)
