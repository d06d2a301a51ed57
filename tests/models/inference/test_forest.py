"""The forest as arrays, against scikit-learn's own answer."""

from __future__ import annotations

import numpy as np
import pytest
from safetensors.numpy import load, save
from sklearn.ensemble import RandomForestRegressor

from models.inference.forest import Forest
from models.training.forest import from_trees


@pytest.fixture(scope="module")
def grown() -> RandomForestRegressor:
    rng = np.random.default_rng(4)
    x = rng.random((60, 12), dtype=np.float32)
    y = (x[:, 0] + 0.3 * rng.random(60) > 0.7).astype(np.float32)
    return RandomForestRegressor(40, min_samples_leaf=2, random_state=3).fit(x, y)


@pytest.fixture(scope="module")
def features() -> np.ndarray:
    return np.random.default_rng(5).random((17, 12), dtype=np.float32)


@pytest.mark.parametrize("count", [1, 2, 17])
def test_it_answers_as_scikit_learn(
    grown: RandomForestRegressor, features: np.ndarray, count: int
) -> None:
    found = from_trees(grown).severity(features[:count])

    assert found == pytest.approx(grown.predict(features[:count]), abs=1e-12)
    assert found.shape == (count,)


def test_a_value_on_a_threshold_goes_left_as_in_scikit_learn(
    grown: RandomForestRegressor, features: np.ndarray
) -> None:
    tree = grown.estimators_[0].tree_
    on = np.tile(features[0], (tree.node_count, 1))
    split = np.flatnonzero(tree.children_left >= 0)
    on[split, tree.feature[split]] = tree.threshold[split].astype(np.float32)

    assert from_trees(grown).severity(on) == pytest.approx(grown.predict(on), abs=1e-12)


def test_it_travels_through_bytes(grown: RandomForestRegressor, features: np.ndarray) -> None:
    forest = from_trees(grown)

    restored = Forest.from_bytes(forest.to_bytes())

    assert np.array_equal(restored.severity(features), forest.severity(features))


def test_contributions_sum_to_the_distance_from_the_expected_value(
    grown: RandomForestRegressor, features: np.ndarray
) -> None:
    forest = from_trees(grown)

    shares = forest.contributions(features)

    assert shares.shape == features.shape
    assert shares.sum(1) + forest.expected == pytest.approx(forest.severity(features), abs=1e-12)
    assert np.abs(shares[:, 0]).mean() > 3 * np.abs(shares[:, 1:]).mean()


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        pytest.param("left", lambda a: np.where(a > 0, 0, a), "no later node", id="a loop"),
        pytest.param("right", lambda a: a + 100000, "no later node", id="outside its tree"),
        pytest.param("value", lambda a: a[:-1], "differ in length", id="cut short"),
        pytest.param("value", lambda a: a.astype(np.float32), "another type", id="another type"),
        pytest.param("first", lambda a: a[:1], "do not fill", id="no tree"),
    ],
)
def test_what_is_no_forest_is_refused(
    grown: RandomForestRegressor, name: str, change: object, said: str
) -> None:
    arrays = load(from_trees(grown).to_bytes())
    arrays[name] = (
        np.ascontiguousarray(change(arrays[name]).astype(arrays[name].dtype))
        if (said != "another type")
        else change(arrays[name])
    )

    with pytest.raises(ValueError, match=said):
        Forest.from_bytes(save(arrays))
