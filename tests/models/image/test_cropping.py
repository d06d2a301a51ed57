"""A certain frame around a scan is cut off to the pixel, and nothing of a scan that has none."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from models import phantom
from models.image import recipe
from models.image.cropping import Box, crop
from models.image.scan import Scan
from models.phantom import HELD_OUT, Artefact

Image8 = NDArray[np.uint8]

DRAWN = [
    phantom.draw(np.random.default_rng(seed), nuisance=HELD_OUT, artefact=artefact)
    for seed, artefact in enumerate([*Artefact, Artefact.NONE, Artefact.NONE, Artefact.NONE])
]
THICKNESS = st.integers(8, 90)
"""Beside sides of 90 pixels less than 1.2 % of the whole is not certainly a frame."""


def framed(image: Image8, sides: tuple[int, int, int, int], grey: int) -> Image8:
    above, below, left, right = sides
    return np.pad(image, ((above, below), (left, right)), constant_values=grey)


def scan(image: Image8) -> Scan:
    return Scan(image, 8, "png")


def rims(image: Image8, grey: int) -> bool:
    """Return whether the scan's own outermost lines look like a frame of ``grey``."""
    lines = (image[:3], image[-3:], image[:, :3].T, image[:, -3:].T)
    return any((np.abs(line.astype(int) - grey) <= 8).mean() > 0.3 for line in lines)


def apart(box: Box, image: Image8, left: int, top: int, factor: float = 1) -> NDArray[np.float64]:
    """Return how far each side of ``box`` is from where the scan's was drawn."""
    height, width = image.shape
    sides = (box.left, box.top, box.left + box.width, box.top + box.height)
    return np.abs(np.subtract(sides, np.multiply((left, top, left + width, top + height), factor)))


@pytest.mark.parametrize("drawn", DRAWN, ids=lambda drawn: drawn.artefact.value)
def test_a_scan_without_a_frame_is_the_very_same(drawn: phantom.Phantom) -> None:
    whole = drawn.scan
    found = crop(whole)
    assert found.scan is whole
    assert found.box == Box(0, 0, whole.width, whole.height)


@settings(max_examples=60, suppress_health_check=[HealthCheck.filter_too_much])
@given(
    st.sampled_from(DRAWN),
    st.tuples(THICKNESS, THICKNESS, THICKNESS, THICKNESS),
    st.sampled_from([0, 40, 128, 200, 255]),
)
def test_a_frame_is_cut_off_to_the_pixel(
    drawn: phantom.Phantom, sides: tuple[int, int, int, int], grey: int
) -> None:
    image = drawn.image
    if rims(image, grey):
        return  # where the frame ends is not to be seen
    found = crop(scan(framed(image, sides, grey)))
    assert found.box == Box(sides[2], sides[0], image.shape[1], image.shape[0])
    assert np.array_equal(found.scan.pixels, image)
    assert np.array_equal(recipe.frame(found.scan), recipe.frame(drawn.scan))
    # What has been cut off once has no frame any more.
    assert crop(found.scan).scan is found.scan


@settings(max_examples=40)
@given(st.sampled_from(DRAWN), st.integers(0, 255), st.integers(0, 60), st.integers(0, 2**32 - 1))
def test_no_more_than_a_frame_is_ever_cut_off(
    drawn: phantom.Phantom, grey: int, thick: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    sides = tuple(int(side) for side in rng.integers(0, thick + 1, 4))
    whole = framed(drawn.image, (sides[0], sides[1], sides[2], sides[3]), grey)
    box = crop(scan(whole)).box
    kept = np.zeros(whole.shape, bool)
    kept[box.top : box.top + box.height, box.left : box.left + box.width] = True
    lost = np.abs(whole[~kept].astype(int) - grey) > 8
    assert not lost.size or lost.mean() < 0.02


@pytest.mark.parametrize("sides", [(30, 30, 0, 0), (0, 0, 24, 40)], ids=["letterbox", "pillars"])
def test_bars_at_two_sides_are_cut_off(sides: tuple[int, int, int, int]) -> None:
    image = DRAWN[0].image
    assert np.array_equal(crop(scan(framed(image, sides, 0))).scan.pixels, image)


def test_a_bar_at_one_side_stays() -> None:
    whole = scan(framed(DRAWN[0].image, (0, 30, 0, 0), 0))
    assert crop(whole).scan is whole


def test_frames_within_frames_are_cut_off() -> None:
    image = DRAWN[0].image
    window = framed(framed(image, (6, 6, 6, 6), 30), (20, 9, 9, 9), 225)
    assert np.array_equal(crop(scan(window)).scan.pixels, image)


def test_words_on_a_slide_are_not_cut_off() -> None:
    whole = framed(DRAWN[0].image, (120, 40, 100, 160), 255)
    whole[20:60:4, 120:180] = 0
    assert crop(scan(whole)).box.top <= 20


def test_air_beside_a_body_is_not_taken_for_a_frame() -> None:
    rows, columns = np.indices((300, 240))
    body = (np.abs(columns - 120) < 70 + 25 * np.cos(rows / 60)).astype(np.uint8)
    grain = np.random.default_rng(1).integers(60, 200, body.shape)
    whole = (body * grain).astype(np.uint8)
    assert crop(scan(whole)).scan.pixels is whole


@pytest.mark.parametrize("grey", [0, 90, 255])
@pytest.mark.parametrize("quality", [95, 75, 50])
def test_a_compressed_frame_is_cut_off_within_a_block(grey: int, quality: int) -> None:
    image, sides = DRAWN[-1].image, (31, 18, 22, 43)
    buffer = io.BytesIO()
    Image.fromarray(framed(image, sides, grey)).save(buffer, "JPEG", quality=quality)
    found = crop(scan(np.asarray(Image.open(buffer))))
    assert apart(found.box, image, 22, 31).max() < 8


@pytest.mark.parametrize("factor", [0.8, 1.7, 2.0])
def test_a_resized_frame_is_cut_off_within_two_pixels(factor: float) -> None:
    image, sides = DRAWN[-1].image, (30, 30, 30, 30)
    whole = Image.fromarray(framed(image, sides, 90))
    size = (round(whole.width * factor), round(whole.height * factor))
    box = crop(scan(np.asarray(whole.resize(size, Image.Resampling.BICUBIC)))).box
    assert apart(box, image, 30, 30, factor).max() <= 2


def test_deep_grey_levels_spacing_and_tags_stay() -> None:
    deep = np.rint(DRAWN[0].image * (4095 / 255)).astype(np.uint16)
    whole = Scan(
        np.pad(deep, 20, constant_values=700), 12, "dicom", (0.6, 0.6), {"ViewPosition": "AP"}
    )
    found = crop(whole)
    assert np.array_equal(found.scan.pixels, deep)
    kept = (found.scan.bits, found.scan.spacing, found.scan.tags)
    assert kept == (12, (0.6, 0.6), {"ViewPosition": "AP"})


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (4, 4), (200, 200)])
def test_images_of_one_grey_level_are_left_alone(shape: tuple[int, int]) -> None:
    whole = scan(np.full(shape, 7, np.uint8))
    assert crop(whole).scan is whole
