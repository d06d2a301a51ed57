"""How alike copies are judged, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from models.dataset import Dataset
from models.evaluation import agreement
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


def test_without_copies_there_is_nothing_to_say() -> None:
    found = agreement.of(np.array([[0.1], [0.2], [0.9]]), POINT, data())

    assert found.copies == 0
    assert found.alike is None
