"""What an evaluation says of numbers whose answer is known."""

from __future__ import annotations

import json

import numpy as np
import pytest

from models.evaluation.curves import MOST_POINTS, curves
from models.evaluation.report import judge
from models.evaluation.schema import Evaluation
from models.evaluation.scored import Scored
from models.evaluation.subgroups import LEAST_IMAGES, LEAST_OF_EACH, subgroups
from models.inference import stack
from models.inference.calibration import OperatingPoint
from models.types import BASES
from tests.models.evaluation import invented
from tests.models.evaluation.invented import COUNTS, POINT, RESAMPLES


def test_it_survives_its_file_to_the_last_bit(evaluation: Evaluation) -> None:
    written = evaluation.to_bytes()

    assert Evaluation.from_bytes(written) == evaluation
    assert Evaluation.from_bytes(written).to_bytes() == written


def test_the_same_numbers_give_the_same_bytes(evaluation: Evaluation) -> None:
    assert invented.evaluated().to_bytes() == evaluation.to_bytes()


def test_the_file_holds_what_the_pages_read(evaluation: Evaluation) -> None:
    content = json.loads(evaluation.to_bytes())

    assert content["format"] == 1
    assert content["source"] == "cross-validation"
    assert list(content["models"])[:5] == [*BASES, stack.key(BASES)]
    assert set(content["alone"]) == set(BASES)
    whole = content["models"][stack.key(BASES)]
    assert {"value", "low", "high"} == set(whole["metrics"]["f1"])
    assert sum(whole["confusion"].values()) == COUNTS["normal"] + COUNTS["osteoporosis"]
    assert whole["classes"]["osteopenia"]["images"] == COUNTS["osteopenia"]
    assert sum(whole["curves"]["reliability"]["count"]) == sum(whole["confusion"].values())
    assert {"model", "accuracy", "source"} <= set(content["published"][0])
    assert content["leak"] is None


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"{}", id="empty"),
        pytest.param(b"[]", id="list"),
        pytest.param(b'{"format": 2}', id="another format"),
        pytest.param(b"\xff", id="no text"),
    ],
)
def test_a_file_that_is_no_evaluation_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"evaluation|decode"):
        Evaluation.from_bytes(data)


def test_the_three_class_table_respects_the_band_and_the_confusion_does_not() -> None:
    data = invented.dataset()
    probability = np.full(len(data), 0.45)  # called at 0.4, but within the band
    probability[0], probability[-1] = 0.1, 0.9

    found = judge(Scored.served(probability, POINT), data, RESAMPLES)

    assert found.confusion.true_positive == COUNTS["osteoporosis"]
    assert found.confusion.true_negative == 1
    assert found.classes["osteoporosis"].osteoporosis == 1
    assert found.classes["osteoporosis"].indeterminate == COUNTS["osteoporosis"] - 1
    assert found.classes["normal"].normal == 1
    assert found.classes["osteopenia"].indeterminate == COUNTS["osteopenia"]


def test_each_fold_is_decided_at_its_own_threshold() -> None:
    strict = OperatingPoint(0.8, (0.7, 0.9))
    folds = [
        (np.array([0, 2]), np.array([0.6, 0.6]), POINT),
        (np.array([1, 3]), np.array([0.6, 0.85]), strict),
    ]

    found = Scored.crossed(4, POINT, folds)

    assert found.predicted_positive.tolist() == [True, False, True, True]
    assert found.abstained.tolist() == [False, False, False, True]


@pytest.mark.parametrize(
    "indices", [pytest.param([0, 1], id="one missing"), pytest.param([0, 1, 1, 2], id="one twice")]
)
def test_folds_that_do_not_hold_each_image_once_are_refused(indices: list[int]) -> None:
    held_out = np.array(indices)

    with pytest.raises(ValueError, match="1 of 3 images are not held out exactly once"):
        Scored.crossed(3, POINT, [(held_out, np.full(len(indices), 0.5), POINT)])


def test_osteopenia_alone_cannot_be_judged() -> None:
    data = invented.dataset()
    osteopenia = data.select(np.flatnonzero(~data.judged))

    with pytest.raises(ValueError, match="at least 1"):
        judge(invented.scored(osteopenia, 0), osteopenia, RESAMPLES)


def test_curves_of_many_images_are_thinned_and_keep_their_ends() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(5000) < 0.5

    found = curves(truth, np.clip(0.3 * truth + rng.random(5000) * 0.7, 0, 1))

    assert len(found.roc.true_positive_rate) <= MOST_POINTS
    assert len(found.precision_recall.recall) <= MOST_POINTS
    assert (found.roc.false_positive_rate[0], found.roc.true_positive_rate[-1]) == (0.0, 1.0)
    assert list(found.roc.true_positive_rate) == sorted(found.roc.true_positive_rate)


def test_curves_of_one_side_only_are_empty() -> None:
    found = curves(np.ones(6, bool), np.linspace(0.1, 0.9, 6))

    assert found.roc.true_positive_rate == ()
    assert sum(found.reliability.count) == 6


def test_a_subgroup_gets_figures_from_its_own_images_alone() -> None:
    sexes = tuple("female" if i % 2 else "male" for i in range(sum(COUNTS.values())))
    data = invented.dataset({"sex": sexes})
    within = np.flatnonzero(np.array(sexes) == "female")
    mine = invented.scored(data, 0)
    part = Scored.served(mine.probability[within], POINT)

    female, male = subgroups(mine, data, RESAMPLES)

    assert (female.value, male.value) == ("female", "male")
    assert female.metrics == judge(part, data.select(within), RESAMPLES).metrics
    assert female.metrics != male.metrics


def test_a_subgroup_of_few_keeps_its_counts_and_gets_no_figures() -> None:
    total = sum(COUNTS.values())
    few = LEAST_OF_EACH + 5
    vendors = ("hologic",) * few + ("ge",) * (total - few - 1) + ("",)
    data = invented.dataset({"vendor": vendors})

    ge, hologic = subgroups(invented.scored(data, 0), data, RESAMPLES)

    assert (hologic.images, hologic.osteoporosis, hologic.metrics) == (few, 0, None)
    assert ge.metrics is not None
    assert ge.images >= LEAST_IMAGES


def test_an_exact_age_is_no_subgroup() -> None:
    data = invented.dataset({"age": tuple(str(i) for i in range(sum(COUNTS.values())))})

    assert subgroups(invented.scored(data, 0), data, RESAMPLES) == ()
