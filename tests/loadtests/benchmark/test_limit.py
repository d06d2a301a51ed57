from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from loadtests.benchmark import limit


class Fixed:
    """Takes 4 ms a call and 1 ms an image up to 8 at once, 4 ms an image beyond."""

    def score(self, images: NDArray[np.uint8]) -> list[int]:
        count = len(images)
        time.sleep(0.004 + 0.001 * count + 0.003 * max(0, count - 8))
        return list(range(count))


def test_the_best_batch_takes_the_least_time_an_image() -> None:
    ensemble: Any = SimpleNamespace(scorers={"cnn": Fixed()})

    assert limit.best(ensemble, "cnn", np.zeros((limit.BLOCK, 2, 2), np.uint8), 0.1) == 8


def test_a_loop_counts_images_not_calls() -> None:
    def work() -> list[limit.Answer]:
        time.sleep(0.01)
        return [(0.5, "normal")] * 4

    found = limit.loop(work, 0.2)

    assert 100 < found["images_per_second"] <= 400
    assert len(found["answers"]) == 4
    assert found["cpu_seconds_per_image"] == pytest.approx(0.0, abs=0.002)
