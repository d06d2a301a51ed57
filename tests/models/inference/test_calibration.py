from __future__ import annotations

import pytest

from models.inference.calibration import logit, sigmoid


@pytest.mark.parametrize("probability", [0.0, 1e-9, 0.3, 1.0])
def test_logits_of_certain_answers_stay_finite(probability: float) -> None:
    back = sigmoid(logit(probability))

    assert float(back) == pytest.approx(probability, abs=1e-5)
