"""Ink is found as thin as it was drawn: on phantoms, whose pixels without it are known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from models import phantom
from models.dataset.copies import noted
from models.dataset.graphics import edge
from models.image import recipe
from models.image.recipe import SIDE, Canonical
from models.phantom import Artefact
from models.vertebrae.morphology import grown
from models.vertebrae.strokes import ink

RNG = np.random.default_rng(0)
Draw = Callable[[Canonical], Canonical]


@pytest.fixture(scope="module", params=range(3))
def plain(request: pytest.FixtureRequest) -> Canonical:
    rng = np.random.default_rng([5, request.param])
    return recipe.frame(phantom.draw(rng, artefact=Artefact.NONE, overlay=False).scan)


def lined(width: int, grey: int) -> Draw:
    """Draw what a densitometer does along four levels in the middle."""
    levels = np.zeros((SIDE, SIDE), np.uint8)
    for number in range(4):
        levels[40 + 36 * number : 76 + 36 * number, 80 + 3 * number : 144 - 2 * number] = number + 1

    def draw(image: Canonical) -> Canonical:
        return np.where(edge(levels, width), np.uint8(grey), image)

    return draw


def fat(truth: np.ndarray) -> np.ndarray:
    """What a network at half the resolution says: two pixels more on every side."""
    return np.where(grown(truth, 2), 3.0, -3.0)


KINDS = {
    "text": lambda image: noted(4)(image, RNG),
    "lines in white": lined(1, 255),
    "thick lines": lined(2, 255),
}


@pytest.mark.parametrize("kind", KINDS)
def test_strokes_are_hidden_and_little_else(kind: str, plain: Canonical) -> None:
    dim = (plain * 0.7).astype(np.uint8)
    drawn = KINDS[kind](dim)
    truth = drawn != dim
    bright = drawn.astype(int) - dim > 60

    found = ink(drawn, fat(truth))

    assert found[bright].mean() > 0.97
    asked = fat(truth) > 0
    assert np.count_nonzero(found & ~truth) < 0.6 * np.count_nonzero(asked & ~truth)


def test_what_is_hidden_changes_a_frame_less_than_all_that_the_network_said(
    plain: Canonical,
) -> None:
    dim = (plain * 0.7).astype(np.uint8)
    drawn = lined(1, 255)(dim)
    said = fat(drawn != dim)

    def apart(mask: np.ndarray) -> float:
        return float(np.abs(recipe.cleaned(drawn, mask).astype(int) - dim).mean())

    assert apart(ink(drawn, said)) < 0.7 * apart(said > 0)


@pytest.mark.parametrize("ground", [0, 30, 255])
def test_ground_that_letters_stand_on_is_hidden_with_them(ground: int, plain: Canonical) -> None:
    box = np.zeros(plain.shape, bool)
    box[20:40, 20:60] = True
    drawn = np.where(box, np.uint8(ground), plain)
    drawn[24:36:4, 24:56] = 200

    assert ink(drawn, np.where(box, 3.0, -3.0))[box].mean() > 0.97


def test_a_border_stays_hidden_also_under_noise(plain: Canonical) -> None:
    border = np.ones(plain.shape, bool)
    border[14:-14, 14:-14] = False
    noise = RNG.integers(0, 7, plain.shape, dtype=np.uint8)
    drawn = np.where(border, noise, plain)

    assert ink(drawn, np.where(border, 3.0, -3.0))[border].mean() > 0.97


def test_nothing_is_ink_where_the_network_saw_none(plain: Canonical) -> None:
    assert not ink(lined(1, 255)(plain), np.full(plain.shape, -3.0)).any()


def test_sides_are_alike(plain: Canonical) -> None:
    drawn = lined(2, 255)(plain)
    said = fat(drawn != plain)

    assert np.array_equal(ink(drawn[:, ::-1], said[:, ::-1])[:, ::-1], ink(drawn, said))
