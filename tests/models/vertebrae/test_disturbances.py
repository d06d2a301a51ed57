"""What is found of forgotten objects and of movement where the truth is drawn, and what is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from models import phantom
from models.image import recipe
from models.image.recipe import SIDE, Canonical
from models.phantom import HELD_OUT, Artefact
from models.vertebrae.displacement import displaced
from models.vertebrae.findings import FOREIGN, QUESTIONING, SHIFTED, foreign_object, motion
from models.vertebrae.foreign import edge
from models.vertebrae.geometry import Spine
from models.vertebrae.nominal import nominal

NOTHING: NDArray[np.bool_] = np.zeros((SIDE, SIDE), bool)
COUNT = 40


def outlined(drawn: phantom.Phantom) -> Spine:
    """Return the drawn spine with a rectangle for each vertebra's outline."""
    spine = drawn.spine
    half, tall = 0.42 * spine.width, 0.36 * spine.pitch
    levels = []
    for level in spine.levels:
        x, y = level.centre
        around = ((-half, -tall), (half, -tall), (half, tall), (-half, tall))
        outline = tuple((x + right, y + down) for right, down in around)
        levels.append(replace(level, outline=outline))
    return Spine(tuple(levels))


def share(artefact: Artefact, is_found: Callable[[Canonical, Spine], bool]) -> float:
    found = []
    for number in range(COUNT):
        rng = np.random.default_rng([17, number])
        drawn = phantom.draw(rng, nuisance=HELD_OUT, artefact=artefact, overlay=False)
        found.append(is_found(recipe.frame(drawn.scan), outlined(drawn)))
    return float(np.mean(found))


def has_object(frame: Canonical, spine: Spine) -> bool:
    return any(foreign_object(spine, frame, NOTHING))


def has_moved(frame: Canonical, spine: Spine) -> bool:
    return any(motion(spine, frame))


@pytest.mark.parametrize(("artefact", "least"), [(Artefact.OBJECT, 0.2), (Artefact.IMPLANT, 0.3)])
def test_metal_is_found_now_and_then(artefact: Artefact, least: float) -> None:
    assert share(artefact, has_object) >= least


@pytest.mark.parametrize(
    "artefact", [Artefact.NONE, Artefact.OSTEOPHYTE, Artefact.FRACTURE, Artefact.CONTRAST]
)
def test_bone_and_contrast_medium_are_no_objects(artefact: Artefact) -> None:
    assert share(artefact, has_object) <= 1 / COUNT


def test_movement_is_found_now_and_then() -> None:
    assert share(Artefact.MOTION, has_moved) >= 0.2


@pytest.mark.parametrize("artefact", [Artefact.NONE, Artefact.OSTEOPHYTE, Artefact.FRACTURE])
def test_who_lay_still_has_not_moved(artefact: Artefact) -> None:
    assert share(artefact, has_moved) <= 1 / COUNT


@pytest.fixture
def plain() -> tuple[Canonical, Spine]:
    rng = np.random.default_rng([17, 3])
    drawn = phantom.draw(rng, nuisance=HELD_OUT, artefact=Artefact.NONE, overlay=False)
    return recipe.frame(drawn.scan), outlined(drawn)


def test_a_coin_beside_the_spine_is_found_wherever_it_lies(
    plain: tuple[Canonical, Spine],
) -> None:
    frame, spine = plain
    rows, columns = np.indices(frame.shape)
    dim = (frame * 0.5).astype(np.uint8)
    assert edge(dim, NOTHING, spine) < FOREIGN
    for level in spine.levels:
        for aside in (-0.7, 0, 0.7):
            x, y = level.centre[0] + aside * spine.width, level.centre[1]
            coin = np.hypot(columns + 0.5 - x, rows + 0.5 - y) < 7
            assert edge(np.where(coin, 255, dim).astype(np.uint8), NOTHING, spine) >= FOREIGN


def test_thin_lines_are_no_objects(plain: tuple[Canonical, Spine]) -> None:
    frame, spine = plain
    lined = frame.copy()
    lined[60:180:30] = 255
    lined[:, 40] = 255
    assert edge(lined, NOTHING, spine) == pytest.approx(edge(frame, NOTHING, spine), abs=0.4)
    assert edge(lined, NOTHING, spine) < FOREIGN


def test_thicker_lines_are_none_where_they_are_known_to_be_drawn(
    plain: tuple[Canonical, Spine],
) -> None:
    frame, spine = plain
    lines = np.zeros(frame.shape, bool)
    for first in range(60, 180, 30):
        lines[first : first + 4] = True
    lined = np.where(lines, 255, frame).astype(np.uint8)
    assert edge(lined, NOTHING, spine) >= FOREIGN
    assert edge(lined, lines, spine) < FOREIGN
    # What is wider than a stroke stays, even where the network takes it for one.
    rows, columns = np.indices(frame.shape)
    coin = np.hypot(columns + 0.5 - spine.centre[0], rows + 0.5 - spine.centre[1]) < 7
    dim = (frame * 0.5).astype(np.uint8)
    assert edge(np.where(coin, 255, dim).astype(np.uint8), coin, spine) >= FOREIGN


def test_rows_that_all_stand_aside_are_a_movement(plain: tuple[Canonical, Spine]) -> None:
    frame, spine = plain
    assert displaced(frame, spine) < SHIFTED
    row = int(spine.centre[1])
    moved = frame.copy()
    moved[row : row + 40] = np.roll(frame[row : row + 40], 7, 1)
    assert displaced(moved, spine) >= SHIFTED
    # The whole image elsewhere is no movement.
    assert displaced(np.roll(frame, 1, 0), spine) == pytest.approx(
        displaced(frame, spine), abs=0.05
    )


@pytest.mark.parametrize("level", [0, 120, 255])
def test_an_image_of_one_grey_level_has_neither(level: int) -> None:
    flat = np.full((SIDE, SIDE), level, np.uint8)
    assert edge(flat, NOTHING, nominal()) == 0
    assert displaced(flat, nominal()) == 0
    assert edge(flat, ~NOTHING, nominal()) == 0


def test_a_spine_at_the_images_border_has_an_answer(plain: tuple[Canonical, Spine]) -> None:
    frame, spine = plain
    for x, y in ((-150, 0), (150, 0), (0, -150), (0, 150)):
        away = spine.moved(x, y)
        assert edge(frame, NOTHING, away) >= 0
        assert displaced(frame, away) >= 0


def test_what_is_missed_more_often_than_found_questions_nothing() -> None:
    assert "foreign_object" in QUESTIONING
    assert "motion" not in QUESTIONING
