from __future__ import annotations

import numpy as np
import pytest

from loadtests.benchmark.images import PHANTOMS, Images
from models.gate import quality
from models.image.recipe import frame
from models.reading import read


@pytest.fixture(scope="module")
def images() -> Images:
    return Images()


def test_no_two_are_the_same_and_each_is_always_the_same(images: Images) -> None:
    first, again, same_phantom = images(3), images(3), images(3 + PHANTOMS)

    assert first == again
    assert len({images(number) for number in range(2 * PHANTOMS)}) == 2 * PHANTOMS
    difference = frame(read(first)).astype(int) - frame(read(same_phantom))
    assert np.abs(difference).max() > 0
    assert np.abs(difference).mean() < 3


def test_the_gate_accepts_them_under_their_noise(images: Images) -> None:
    gate = quality.served_gate()

    for number in (*range(PHANTOMS), 1_000_003):
        scan = read(images(number))
        assert quality.assess(scan, frame(scan), gate).accepted, number
