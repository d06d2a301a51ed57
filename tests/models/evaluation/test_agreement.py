"""How alike copies are judged, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from models import artifact
from models.dataset import Dataset
from models.evaluation import agreement
from models.evaluation.agreement import AgreementError, Limits
from models.inference.calibration import OperatingPoint

POINT = OperatingPoint(0.5, (0.4, 0.5))


def data() -> Dataset:
    names = ("a", "b", "c")
    labels = ("normal", "osteopenia", "osteoporosis")
    return Dataset(np.zeros((3, 224, 224), np.uint8), labels, names, names, names)


def test_shares_are_of_copies_beside_their_own_scan() -> None:
    probability = np.array([[0.1, 0.2, 0.45], [0.45, 0.45, 0.9], [0.8, 0.8, 0.3]])

    found = agreement.of(probability, POINT, data())

    assert found.copies == 6
    # Alike: 0.2 to 0.1, 0.45 to 0.45, 0.8 to 0.8.
    assert found.alike == pytest.approx(3 / 6)
    assert found.moved == pytest.approx((0.1 + 0.35 + 0 + 0.45 + 0 + 0.5) / 6)
    assert (found.sensitivity, found.specificity) == (1.0, 1.0)
    assert (found.copies_sensitivity, found.copies_specificity) == (0.5, 1.0)


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (Limits(alike=0.51, moved=1, lost=1), "outcomes alike 0.500"),
        (Limits(alike=0.5, moved=0.2, lost=1), "mean |Δp| 0.233"),
        (Limits(alike=0.5, moved=0.3, lost=0.4), "sensitivity lost 0.500"),
    ],
)
def test_a_model_that_misses_a_limit_is_refused_by_it(limits: Limits, said: str) -> None:
    probability = np.array([[0.1, 0.2, 0.45], [0.45, 0.45, 0.9], [0.8, 0.8, 0.3]])
    found = agreement.of(probability, POINT, data())

    found.check("cnn", Limits(alike=0.5, moved=0.3, lost=0.5))
    with pytest.raises(AgreementError) as refused:
        found.check("cnn", limits)

    assert said in str(refused.value)


@pytest.mark.parametrize("name", ["stack", "cnn", "vgg16", "resnet", "bone"])
def test_what_is_shipped_keeps_the_limits(name: str) -> None:
    stored = artifact.load(name, artifact.FOLDER).manifest[agreement.KEY]
    found = agreement.Agreement(**stored)

    found.check(name, agreement.SERVED if name == "stack" else agreement.VOTING)


def test_without_copies_there_is_nothing_to_say() -> None:
    found = agreement.of(np.array([[0.1], [0.2], [0.9]]), POINT, data())

    assert found.copies == 0
    assert found.alike is None
