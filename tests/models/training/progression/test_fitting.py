"""Fits find what series were drawn from, and what is served computes as Keras does."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from models.cohort.cases import cases
from models.cohort.cohort import cohort
from models.cohort.parameters import TRAINING
from models.cohort.table import VisitsError
from models.progression import recurrent as served
from models.progression import series as rows
from models.progression.recurrent import ASKED, STEP, Recurrent
from models.training.progression import mixed, recurrent, training
from tests.models.progression.kit import flat, series, visit, years


def test_the_mixed_model_finds_what_series_were_drawn_from() -> None:
    rng = np.random.default_rng(5)
    found = []
    times = np.arange(0, 10, 1.5)
    for _ in range(150):
        slope = -0.01 + 0.008 * rng.standard_normal()
        walk = np.append(0, np.cumsum(0.004 * np.sqrt(1.5) * rng.standard_normal(len(times) - 1)))
        logs = 0.1 * rng.standard_normal() + slope * times + walk
        read = np.exp(logs) + 0.010 * rng.standard_normal(len(times))
        found.append(series(*map(visit, times, map(float, read))))

    model = mixed.fit(found)

    assert model.slope == pytest.approx(0.008, rel=0.35)
    assert model.walk == pytest.approx(0.004, rel=0.5)
    expected = model.expected(rows.ahead(found[0], years(2.0)) - rows.seen(found[0])[-1])
    assert expected[0] == pytest.approx(-0.02, abs=0.004)


def test_what_is_served_answers_as_keras_does() -> None:
    keras.utils.set_random_seed(3)
    network = recurrent._network(5)
    network.get_layer("out").set_weights(
        [np.random.default_rng(1).normal(0, 0.5, (recurrent.HIDDEN, 2)), np.array([0.1, -0.2])]
    )
    model = Recurrent(recurrent._weights(network))
    one = series(visit(0, 1.0), visit(2, 0.97), visit(3, 0.96, drug="denosumab"))
    expected = flat()
    ahead = years(1.0, 4.0)
    mean, covariance = expected.predict(one, ahead)
    spread = np.sqrt(np.diag(covariance))

    moved, spreads = model.correct(expected, one, ahead, mean, spread)

    read = served.steps(expected, one)
    padded = np.zeros((2, 5, STEP))
    padded[:, 2:] = read
    asked = served.questions(expected, one, ahead, mean, spread)
    assert asked.shape == (2, ASKED)
    given = np.stack([mean, spread, np.full(2, 0.01)], axis=1)
    told = network.predict({"visits": padded, "asked": asked, "given": given}, verbose=0)
    assert moved == pytest.approx(told[:, 0], abs=2e-5)
    assert spreads**2 + 0.01**2 == pytest.approx(told[:, 1], rel=1e-3)
    assert np.abs(moved - mean).max() > 1e-3


def test_a_site_with_few_patients_is_told_so() -> None:
    with pytest.raises(VisitsError, match="too few to learn from"):
        training.divided(cohort(1, 40, TRAINING), seed=1)


def test_patients_are_in_one_group_alone() -> None:
    patients = cohort(2, 400, TRAINING)
    found = training.divided(patients, seed=1)
    groups = [found.learnt, found.calibrated, found.judged]
    assert [len(group) for group in groups] == [240, 60, 100]
    assert len({id(one) for group in groups for one in group}) == 400
    assert len({case.number for case in cases(patients)}) > training.FEWEST
