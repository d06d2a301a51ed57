"""A photograph of a screen is told by the screen's pixels; no export is taken for one."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from models import phantom
from models.dataset.copies import KINDS, altered
from models.gate import quality
from models.gate.photograph import PEAK, peak
from models.image.scan import Scan
from models.phantom import HELD_OUT, Artefact
from models.phantom.photograph import photograph

DRAWN = [
    phantom.draw(np.random.default_rng([7, seed]), nuisance=HELD_OUT, artefact=artefact)
    for seed, artefact in enumerate([*Artefact, *[Artefact.NONE] * 9])
]


def scan(image: np.ndarray) -> Scan:
    return Scan(image, 8, "jpeg")


def test_most_photographs_of_screens_are_refused_by_that_reason() -> None:
    refused = [
        "photograph"
        in quality.check(scan(photograph(one.image, np.random.default_rng([3, n])))).reasons
        for n, one in enumerate(DRAWN)
    ]
    assert np.mean(refused) >= 0.7


@pytest.mark.parametrize("drawn", DRAWN, ids=lambda drawn: drawn.artefact.value)
def test_no_scan_is_taken_for_a_photograph(drawn: phantom.Phantom) -> None:
    assert peak(drawn.scan) < PEAK
    rng = np.random.default_rng(1)
    for _ in range(5):
        assert peak(scan(altered(drawn.image, rng))) < PEAK


@pytest.mark.parametrize("kind", KINDS)
def test_no_export_is_taken_for_a_photograph(kind: str) -> None:
    for drawn in DRAWN[::5]:
        assert peak(scan(KINDS[kind](drawn.image, np.random.default_rng(2)))) < PEAK


@pytest.mark.parametrize("factor", [2, 3])
def test_pixels_that_are_repeated_are_no_screens(factor: int) -> None:
    image = DRAWN[0].image
    whole = np.repeat(np.repeat(image, factor, 0), factor, 1)
    assert peak(scan(whole)) < PEAK


@pytest.mark.parametrize("shape", [(1, 1), (3, 400), (100, 90), (192, 192), (500, 260)])
def test_any_size_has_an_answer(shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(4).integers(0, 256, shape, dtype=np.uint8)
    assert 0 <= peak(scan(noise)) < PEAK
    assert peak(scan(np.full(shape, 90, np.uint8))) == 0


def test_deep_grey_levels_change_nothing() -> None:
    taken = photograph(DRAWN[0].image, np.random.default_rng(6))
    deep = Scan(np.rint(taken * (4095 / 255)).astype(np.uint16), 12, "dicom")
    assert peak(deep) == pytest.approx(peak(scan(taken)), rel=0.05)


def test_a_photograph_made_so_small_that_no_pixel_is_left_is_not_known() -> None:
    taken = Image.fromarray(photograph(DRAWN[0].image, np.random.default_rng(6)))
    small = taken.resize((taken.width // 5, taken.height // 5), Image.Resampling.BOX)
    assert peak(scan(np.asarray(small))) < PEAK
