"""Answers that agreement is measured on are the service's."""

from __future__ import annotations

import numpy as np
import pytest

from models import phantom
from models.commands.agreement import Answer, answers
from models.gate.quality import served_gate
from models.image.scan import Scan
from models.inference.ensemble import Ensemble


@pytest.fixture(scope="module")
def given() -> list[Answer]:
    image = phantom.draw(np.random.default_rng(1)).image
    cut = image[image.shape[0] // 4 :]
    return list(answers([Scan(image, 8, "png"), Scan(cut, 8, "png")], Ensemble(), served_gate()))


def test_a_copy_without_its_upper_part_is_not_called_normal(given: list[Answer]) -> None:
    """Its probability alone would be: a finding counts as it does in the service."""
    whole, cut = given
    assert (whole.outcome, cut.outcome) == ("normal", "indeterminate")
    assert (whole.called, cut.called) == (False, False)
