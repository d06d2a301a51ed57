from __future__ import annotations

import pytest

from models.inference.decision import decide
from service.types import Outcome


@pytest.mark.parametrize(
    ("probability", "outcome"),
    [
        pytest.param(0.0, "normal", id="zero"),
        pytest.param(0.349, "normal", id="just below the band"),
        pytest.param(0.35, "indeterminate", id="lower end of the band"),
        pytest.param(0.41, "indeterminate", id="at the threshold"),
        pytest.param(0.48, "indeterminate", id="upper end of the band"),
        pytest.param(0.481, "osteoporosis", id="just above the band"),
        pytest.param(1.0, "osteoporosis", id="one"),
    ],
)
def test_outcome(probability: float, outcome: Outcome) -> None:
    assert decide(probability, 0.41, (0.35, 0.48)) == outcome


def test_band_beside_the_threshold_leaves_the_threshold_to_decide() -> None:
    assert decide(0.5, 0.4, (0.1, 0.2)) == "osteoporosis"
    assert decide(0.3, 0.4, (0.1, 0.2)) == "normal"
