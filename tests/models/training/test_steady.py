"""What tells copies of a scan apart is not learnt."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from models.training import steady
from models.training.soft import linear_fit

SCANS, VIEWS = 200, 6


@pytest.fixture
def views() -> tuple[np.ndarray, np.ndarray]:
    """Return (k, n, 2): of a scan's copies the first feature is alike, the second not; and severity
    (n,), which each tells as well where there is one copy."""
    rng = np.random.default_rng(3)
    severity = (rng.random(SCANS) < 0.5).astype(np.float32)
    told = np.stack([rng.normal(2 * severity - 1, 1.0) for _ in range(2)], -1)
    moved = rng.normal(0, 1.5, (VIEWS, SCANS))
    return np.stack([np.stack([told[:, 0], told[:, 1] + m], -1) for m in moved]), severity


def wavering(fit: tuple[np.ndarray, float], views: np.ndarray) -> float:
    """Return how far copies' logits stand apart, in units of how far scans do."""
    logits = views @ fit[0] + fit[1]
    return float(logits.std(0).mean() / logits.mean(0).std())


def test_a_linear_model_turns_to_what_is_alike_in_all_copies(
    views: tuple[np.ndarray, np.ndarray],
) -> None:
    seen, severity = views

    free, steadied = (linear_fit(seen, severity, 0.05, weight) for weight in (0.0, 100.0))

    assert wavering(steadied, seen) < 0.5 * wavering(free, seen)
    assert steadied[0][0] > 0


def test_errors_count_as_what_tells_copies_apart(views: tuple[np.ndarray, np.ndarray]) -> None:
    seen, severity = views
    one = seen[:1]
    errors = np.full((1, SCANS, 2), (0.0, 3.0))

    free, shown = (linear_fit(one, severity, 0.05, 30.0, given) for given in (None, errors))

    assert abs(shown[0][1]) < 0.3 * abs(free[0][1])


def test_without_a_weight_it_is_the_ordinary_fit(views: tuple[np.ndarray, np.ndarray]) -> None:
    seen, _ = views

    assert steady.axes(steady.within(seen), 0.0) == pytest.approx(np.eye(2))


def test_the_penalty_is_that_of_the_ordinary_fit_on_turned_features(
    views: tuple[np.ndarray, np.ndarray],
) -> None:
    covariance = steady.within(views[0])
    turned = steady.axes(covariance, 7.0)
    weights = np.array([0.3, -1.1])

    b = np.linalg.solve(turned, weights)

    assert b @ b == pytest.approx(weights @ weights + 7.0 * weights @ covariance @ weights)


def test_the_loss_is_cross_entropy_and_the_variance_among_views() -> None:
    logits = np.array([[1.0, 3.0], [-2.0, -2.0]], np.float32)
    truth = np.array([[1.0, 1.0], [0.0, 0.0]], np.float32)

    found = float(steady.loss(0.5)(truth, logits))

    cross_entropy = np.mean(np.logaddexp(0, logits) - truth * logits)
    assert found == pytest.approx(cross_entropy + 0.5 * np.mean([1.0, 0.0]), rel=1e-5)


def test_a_network_over_views_answers_to_each() -> None:
    keras.utils.set_random_seed(1)
    first, second = keras.Input((3,)), keras.Input((2,))
    joined = keras.layers.Concatenate()([first, second])
    network = keras.Model([first, second], keras.layers.Dense(1)(joined))
    rng = np.random.default_rng(1)
    given = [rng.normal(size=(4, 5, width)).astype(np.float32) for width in (3, 2)]

    found = steady.over_views(network, 5)(given)

    each = np.stack([network([one[:, v] for one in given])[:, 0] for v in range(5)], 1)
    assert np.asarray(found) == pytest.approx(each, abs=1e-6)
