from __future__ import annotations

import numpy as np
import pytest

from models.inference.calibration import (
    BAND_FALSE_ALARM,
    BAND_MISSED,
    SENSITIVITY_TARGET,
    Calibration,
)
from models.training import calibration
from models.training.calibration import operating_point


def informative(count: int = 400) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    truth = rng.random(count) < 0.4
    return rng.normal(np.where(truth, 1.5, -1.5), 2.0) * 5.0, truth


def test_probabilities_match_what_is_observed() -> None:
    raw, truth = informative()

    probability = calibration.fit(raw, truth).probability(raw)

    assert probability.mean() == pytest.approx(truth.mean(), abs=0.01)
    confident = probability > 0.8
    assert truth[confident].mean() == pytest.approx(probability[confident].mean(), abs=0.08)


def test_evidence_that_points_the_wrong_way_is_silenced_not_turned_round() -> None:
    raw, truth = informative()

    silenced = calibration.fit(-raw, truth)

    assert silenced.slope == 0.0
    assert silenced.probability(raw[:3]) == pytest.approx([truth.mean()] * 3)


def test_the_threshold_finds_the_share_it_promises() -> None:
    raw, truth = informative()
    probability = Calibration(0.2, 0.0).probability(raw)

    point = operating_point(probability, truth)

    assert (probability[truth] >= point.threshold).mean() >= SENSITIVITY_TARGET
    low, high = point.band
    assert low <= point.threshold <= high
    assert (probability[truth] < low).mean() <= BAND_MISSED
    assert (probability[~truth] > high).mean() <= BAND_FALSE_ALARM


def test_a_model_that_tells_nothing_abstains_everywhere() -> None:
    truth = np.arange(40) % 2 == 0

    point = operating_point(np.full(40, 0.5), truth)

    assert point.band[0] <= 0.5 <= point.band[1]
