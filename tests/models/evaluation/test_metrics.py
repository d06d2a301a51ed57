"""Figures against scikit-learn's own and against cases that can be told by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as reference

from models.evaluation import metrics
from models.evaluation.schema import WITHOUT_INTERVAL, Confusion
from models.inference.calibration import logit, sigmoid
from models.manifest import Estimate

RNG = np.random.default_rng(3)
TRUTH = np.arange(80) % 2 == 0
PROBABILITY = sigmoid(2.0 * TRUTH - 1.0 + RNG.normal(0, 1.5, 80))
CALLED = PROBABILITY >= 0.4
GROUPS = np.array([f"g{i // 4}" for i in range(80)])


def measured(**changed: np.ndarray) -> dict[str, Estimate]:
    given = {"truth": TRUTH, "probability": PROBABILITY, "predicted": CALLED, "groups": GROUPS}
    return metrics.measure(**{**given, **changed}, resamples=20)


@pytest.fixture(scope="module")
def whole() -> dict[str, Estimate]:
    return measured()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("auroc", reference.roc_auc_score(TRUTH, PROBABILITY)),
        ("auprc", reference.average_precision_score(TRUTH, PROBABILITY)),
        ("brier", reference.brier_score_loss(TRUTH, PROBABILITY)),
        ("accuracy", reference.accuracy_score(TRUTH, CALLED)),
        ("precision", reference.precision_score(TRUTH, CALLED)),
        ("sensitivity", reference.recall_score(TRUTH, CALLED)),
        ("specificity", reference.recall_score(~TRUTH, ~CALLED)),
        ("f1", reference.f1_score(TRUTH, CALLED)),
    ],
)
def test_figures_are_scikit_learns(whole: dict[str, Estimate], name: str, expected: float) -> None:
    assert whole[name].value == pytest.approx(expected)


def test_every_figure_that_has_one_is_within_its_interval(whole: dict[str, Estimate]) -> None:
    assert {name for name, value in whole.items() if value.low is None} == WITHOUT_INTERVAL
    for name, value in whole.items():
        if name in WITHOUT_INTERVAL:
            continue
        assert value.low is not None, name
        assert value.high is not None, name
        assert value.low <= value.high, name
        assert value.low <= value.value <= value.high, name


def test_the_same_seed_gives_the_same_intervals_and_another_does_not(
    whole: dict[str, Estimate],
) -> None:
    again = metrics.measure(TRUTH, PROBABILITY, CALLED, GROUPS, seed=0, resamples=20)
    other = metrics.measure(TRUTH, PROBABILITY, CALLED, GROUPS, seed=1, resamples=20)

    assert again == whole
    assert other["auroc"].low != again["auroc"].low


def test_images_of_one_group_count_as_one_when_intervals_are_drawn() -> None:
    singles = np.array([str(i) for i in range(80)])
    few = np.array([f"g{i // 20}" for i in range(80)])

    def width(groups: np.ndarray) -> float:
        found = metrics.measure(TRUTH, GRADED, GRADED >= 0.5, groups, resamples=80)["brier"]
        assert found.high is not None
        assert found.low is not None
        return found.high - found.low

    # Twenty images alike in each group: few truly different ones.
    assert width(few) > 1.5 * width(singles)


GRADED = np.repeat([0.1, 0.35, 0.6, 0.9], 20)


@pytest.mark.parametrize("slope", [0.5, 1.0, 2.0])
def test_the_calibration_slope_undoes_what_was_done_to_the_logit(slope: float) -> None:
    plain = metrics.calibration_slope(TRUTH, PROBABILITY)
    stretched = metrics.calibration_slope(TRUTH, sigmoid(slope * logit(PROBABILITY)))

    assert stretched == pytest.approx(plain / slope, rel=1e-3)


def test_a_slope_near_one_for_probabilities_that_are_true() -> None:
    rng = np.random.default_rng(1)
    probability = rng.uniform(0.02, 0.98, 20_000)

    found = metrics.calibration_slope(rng.random(20_000) < probability, probability)

    assert found == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize(
    ("changed", "undefined"),
    [
        pytest.param({"predicted": np.zeros(80, bool)}, {"precision"}, id="nothing called"),
        pytest.param(
            {"probability": np.where(TRUTH, 0.9, 0.1)}, {"calibration_slope"}, id="no overlap"
        ),
        pytest.param({"probability": np.full(80, 0.5)}, {"calibration_slope"}, id="all alike"),
        pytest.param(
            {"truth": np.ones(80, bool)},
            {"auroc", "auprc", "calibration_slope", "specificity"},
            id="osteoporosis only",
        ),
        pytest.param(
            {"truth": np.zeros(80, bool)},
            {"auroc", "auprc", "calibration_slope", "sensitivity"},
            id="normal only",
        ),
    ],
)
def test_what_cannot_be_said_is_not_said(
    changed: dict[str, np.ndarray], undefined: set[str]
) -> None:
    found = measured(**changed)

    assert {name for name, value in found.items() if value.value is None} == undefined
    for name in undefined:
        assert str(found[name]) == "undefined"


def test_an_interval_that_few_resamples_have_is_not_given() -> None:
    # One call in one group of twenty: a third of the resamples draw it never.
    called = np.zeros(80, bool)
    called[0] = True

    precision = measured(predicted=called)["precision"]

    assert precision == Estimate(1.0, None, None)
    assert "interval undefined" in str(precision)


def test_a_confusion_counts_each_image_once() -> None:
    found = metrics.confusion(
        np.array([True, True, True, False, False]), np.array([True, True, False, True, False])
    )

    assert found == Confusion(true_positive=2, false_negative=1, false_positive=1, true_negative=1)
