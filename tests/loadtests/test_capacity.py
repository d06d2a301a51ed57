from __future__ import annotations

import math

import numpy as np
import pytest

from loadtests import capacity as page
from loadtests import machine
from loadtests.capacity import CapacityError, capacity, mean_wait
from loadtests.target import COMPONENTS
from protocol.runners import RUNNERS

COSTS = {
    "front": 0.02, "vertebrae": 0.03, "cnn": 0.01, "vgg16": 0.04, "resnet": 0.02, "stack": 0.005,
}  # fmt: skip


def test_the_front_and_every_runner_are_counted() -> None:
    assert set(COMPONENTS) == {"front", *RUNNERS}
    assert set(machine.read().cpu_seconds_per_image) == set(COMPONENTS)
    assert set(capacity(1, COSTS).replicas) == set(COMPONENTS)


def test_replicas_are_half_busy_at_the_peak_and_one_more() -> None:
    # 86,400 scans a day are one a second; 25 in the busiest hour keep one core busy with vgg16.
    found = capacity(86_400, COSTS, 24)
    assert found.peak == pytest.approx(24)
    assert found.replicas == {
        "front": 2, "vertebrae": 3, "cnn": 2, "vgg16": 3, "resnet": 2, "stack": 2,
    }  # fmt: skip
    assert found.cores == 14


def test_few_scans_take_one_of_each_and_one_to_lose() -> None:
    found = capacity(100, COSTS)
    assert set(found.replicas.values()) == {2}
    assert found.response == pytest.approx(0.095, rel=0.02)


def test_an_image_waits_longer_at_a_busier_peak_and_no_longer_than_halves_allow() -> None:
    alone = capacity(1, COSTS).response
    # At most half busy, a wait is at most (1 + c²)/2 of the service.
    assert alone < capacity(1_080_000, COSTS).response < alone * (1 + (1 + 0.25) / 2)


def test_one_server_waits_as_pollaczek_and_khinchine_say() -> None:
    # ρ/(1 − ρ) × (1 + c²)/2 × S
    assert mean_wait(5, 0.1, 0.0) == pytest.approx(0.05)
    assert mean_wait(5, 0.1, 1.0) == pytest.approx(0.1)
    assert mean_wait(10, 0.1) == math.inf


@pytest.mark.parametrize("variation", [0.25, 1.0])
def test_and_as_a_queue_does_step_by_step(variation: float) -> None:
    rng = np.random.default_rng(2)
    gaps = rng.exponential(0.1 / 0.5, 200_000)
    service = rng.gamma(1 / variation, 0.1 * variation, len(gaps))
    waits, wait = [], 0.0
    for gap, seconds in zip(gaps.tolist(), service.tolist(), strict=True):
        wait = max(0.0, wait - gap)
        waits.append(wait)
        wait += seconds
    assert np.mean(waits) == pytest.approx(mean_wait(5, 0.1, variation), rel=0.05)


@pytest.mark.parametrize(
    ("scans", "changed", "factor", "says"),
    [
        (0, {}, 2.0, "0 scans a day, 2 times as many in the busiest hour; at least 1"),
        (10, {}, 25.0, "1 to 24 times can be"),
        (10, {"cnn": -1.0}, 2.0, "cnn costs -1 s an image; above 0"),
        (10, {"fifth": 1.0}, 2.0, "costs are wanted of front, vertebrae, cnn"),
        (10, {"vgg16": 2.0}, 2.0, "an image takes 2.0"),
    ],
)
def test_what_cannot_be_calculated_is_refused(
    scans: int, changed: dict[str, float], factor: float, says: str
) -> None:
    with pytest.raises(CapacityError, match=says):
        capacity(scans, {**COSTS, **changed}, factor)


def test_the_page_is_what_it_would_be_written_as() -> None:
    assert page.PAGE.read_text("utf-8") == page.page(), "python -m loadtests capacity --page"
