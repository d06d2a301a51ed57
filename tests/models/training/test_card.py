"""Cards say what the manifest and the evaluation say, and what is not known."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest

from models.evaluation import tables
from models.evaluation.published import REASON
from models.evaluation.schema import WITHOUT_INTERVAL, Evaluation, Leak
from models.inference import stack
from models.inference.bone import KEY, Bone
from models.training import card
from models.types import BASES
from models.vertebrae.measurements import NAMES
from tests.models.evaluation import invented

SHARES = (
    "alike",
    "sensitivity",
    "specificity",
    "copies_sensitivity",
    "copies_specificity",
)
LEAK = Leak(0.987, 0.954, 0.812, 0.743, "Invented.")


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    return replace(invented.evaluated(), leak=LEAK)


def manifest(evaluation: Evaluation, key: str) -> dict[str, Any]:
    report = evaluation.models[key]
    return {
        "origin": "nothing",
        "metrics": {metric: asdict(one) for metric, one in report.metrics.items()},
        "threshold": report.threshold,
        "band": list(report.band),
        "classes": {label: asdict(row) for label, row in report.classes.items()},
        "runtimes": {"openvino-f32": {"max_difference": 0.0001}},
        "refused_runtimes": {"openvino-bf16": {"max_difference": 0.05, "changed": 3}},
        "unchecked_runtimes": ["openvino-int8"],
        "data": asdict(evaluation.data),
        KEY: Bone(*np.ones((3, len(NAMES))), 0.0).manifest(),
        "agreement": {**dict.fromkeys(SHARES, 0.5), "copies": 12, "moved": 0.02},
        "training": {"seed": 20, "command": "python -m models train"},
    }


def test_a_card_says_how_alike_copies_are_judged(evaluation: Evaluation) -> None:
    said = card.base("cnn", manifest(evaluation, "cnn"))

    assert "12 copies" in said
    assert "Outcomes alike: 50%; mean change of the probability: 0.020" in said


def test_the_card_of_bone_says_what_each_measurement_weighs(evaluation: Evaluation) -> None:
    said = card.base("bone", manifest(evaluation, "bone"))

    assert all(f"| {name} | 1.000 | 1.000 | +1.00 |" in said for name in NAMES)


def stacked(evaluation: Evaluation) -> dict[str, Any]:
    whole = manifest(evaluation, stack.key(BASES))
    reports = {**evaluation.models, **evaluation.alone}
    keys = [stack.key(names) for names in stack.subsets()]
    return {**whole, "subsets": {key: {**whole, "metrics": reports[key].metrics} for key in keys}}


@pytest.mark.parametrize("name", BASES)
def test_a_base_models_card_holds_every_figure_and_every_runtime(
    evaluation: Evaluation, name: str
) -> None:
    said = card.base(name, manifest(evaluation, name))

    for metric, title in tables.TITLES.items():
        assert title in said
        found = evaluation.models[name].metrics[metric]
        assert (f"{found.value:.3f}" if metric in WITHOUT_INTERVAL else str(found)) in said
    assert "openvino-f32: 1.0e-04" in said
    assert "openvino-bf16: refused, 5.0e-02 and 3 decisions changed" in said
    assert "openvino-int8: not checked" in said
    assert "command: python -m models train" in said
    assert REASON in said or name == "bone", "nobody has published such figures of bone"


@pytest.mark.parametrize(
    "heading", ["Intended use", "Training data", "Metrics", "Runtimes", "Ethics", "Limits"]
)
def test_no_heading_is_missing(evaluation: Evaluation, heading: str) -> None:
    assert f"\n## {heading}\n" in card.base("cnn", manifest(evaluation, "cnn"))


def test_the_stacks_card_sets_ours_beside_the_published_and_the_leak(
    evaluation: Evaluation,
) -> None:
    said = card.stack(stacked(evaluation), evaluation)

    assert REASON in said
    assert "0.954" in said
    assert "0.743" in said
    for names in stack.subsets():
        assert f"| {tables.title(stack.key(names))} " in said


def test_subgroups_not_known_are_said_to_be_so(evaluation: Evaluation) -> None:
    said = card.stack(stacked(evaluation), evaluation)

    assert "no subgroup was looked at" in said


def test_the_limits_give_the_training_datas_prevalence(evaluation: Evaluation) -> None:
    data = {
        **asdict(evaluation.data),
        "counts": {"normal": 30, "osteopenia": 9, "osteoporosis": 10},
    }

    said = card.base("cnn", {**manifest(evaluation, "cnn"), "data": data})

    assert "(25%)" in said
    assert "49 images" in said
