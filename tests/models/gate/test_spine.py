from __future__ import annotations

import numpy as np
import pytest

from models.gate import spine
from models.image.recipe import SIDE


@pytest.mark.parametrize("width", [1, 3, 5, 20])
def test_neighbours_are_summed(width: int) -> None:
    values = np.random.default_rng(1).random((20, 3), dtype=np.float32)

    summed = spine.windowed(values, width)

    expected = [values[first : first + width].sum(0) for first in range(21 - width)]
    np.testing.assert_allclose(summed, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("middle", "lean", "bend"),
    [(112, 0, 0), (90, 0, 0), (112, 25, 0), (130, -20, 0), (112, 10, 12), (60, 0, -10)],
)
def test_the_midline_follows_a_bright_band(middle: float, lean: float, bend: float) -> None:
    height = np.linspace(-1.0, 1.0, SIDE)
    drawn = middle + lean * height + bend * (height**2 - 1 / 3)
    image = np.random.default_rng(3).random((SIDE, SIDE), dtype=np.float32) / 5
    image[np.abs(np.arange(SIDE) - drawn[:, None]) <= 34] += 0.6

    course = spine.Course.of(image)

    assert np.abs(course.midline - drawn).max() < 8
    assert course.straight.shape == (SIDE, 2 * spine.REACH + 1)
    middles = course.straight[:, spine.REACH - 20 : spine.REACH + 21]
    assert middles.min() >= 0.6
