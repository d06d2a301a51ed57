"""Levels from maps: from perfect ones, from doubtful ones, and by the shipped network."""

from __future__ import annotations

import numpy as np
import pytest

from models import artifact, phantom
from models.image import recipe
from models.inference.base import Outliner
from models.phantom import HELD_OUT, TRAINING, Artefact
from models.vertebrae.outline import BOUNDARY, GRAPHICS, OTHER, outline, segment

SURE = 4.0
BLACK = np.zeros((224, 224), np.uint8)


def levels(tilt: float = 0.0, first: int = 40, height: int = 34, half: int = 30) -> np.ndarray:
    """Four blocks one below the other, (224, 224), sheared by ``tilt``."""
    rows, columns = np.indices((224, 224))
    middle = 112 + np.tan(np.deg2rad(tilt)) * (rows - 112)
    number = (rows - first) // height + 1
    inside = (np.abs(columns - middle) <= half) & (number >= 1) & (number <= 4)
    return np.where(inside, number, 0).astype(np.uint8)


def maps(truth: np.ndarray, sure: float = SURE) -> np.ndarray:
    logits = np.full((224, 224, 8), -sure, np.float32)
    for level in range(OTHER + 1):
        logits[..., level][truth == level] = sure
    rim = (truth > 0) & ((np.roll(truth, 1, 0) != truth) | (np.roll(truth, -1, 0) != truth))
    logits[..., BOUNDARY][rim] = sure
    return logits


def dice(one: np.ndarray, other: np.ndarray) -> float:
    return 2 * np.count_nonzero(one & other) / (np.count_nonzero(one) + np.count_nonzero(other))


@pytest.mark.parametrize("tilt", [0.0, -9.0, 6.0])
@pytest.mark.parametrize("height", [26, 34, 40])
def test_blocks_are_found_as_they_are(tilt: float, height: int) -> None:
    truth = levels(tilt, height=height)

    found = segment(maps(truth))

    for number in range(1, 5):
        assert dice(found.levels == number, truth == number) > 0.93
    assert found.confidence.min() > 0.9


def test_levels_follow_from_each_other_where_single_pixels_are_in_doubt() -> None:
    truth = levels()
    logits = maps(truth)
    # The network cannot tell L2 from L3, and hardly L1 from L2.
    doubtful = logits[..., 1:5].copy()
    logits[..., 1:5] = 0.5 * doubtful + 0.5 * np.roll(doubtful, 1, -1)

    found = segment(logits)

    for number in range(1, 5):
        assert dice(found.levels == number, truth == number) > 0.9
    assert found.confidence.min() < 0.9, "it says that it is not sure"


def test_a_stray_piece_beside_the_column_is_left_out() -> None:
    truth = levels()
    stray = truth.copy()
    stray[60:80, 190:215] = 2

    assert np.array_equal(segment(maps(stray)).levels > 0, segment(maps(truth)).levels > 0)


@pytest.mark.parametrize("height", range(6, 18))
def test_a_column_too_short_for_four_levels_has_none_or_all(height: int) -> None:
    """As wide as long: a spine from its side."""
    found = segment(maps(levels(height=height, half=100)))

    assert len(np.unique(found.levels[found.levels > 0])) in {0, 4}
    assert np.isfinite(found.confidence).all()


def test_nothing_is_found_in_nothing() -> None:
    found = outline(maps(np.zeros((224, 224), np.uint8)), BLACK)

    assert found.spine is None
    assert found.graphics.shape == (224, 224)


def test_graphics_are_the_ink_where_their_channel_says() -> None:
    logits = maps(levels())
    logits[9:12, :, GRAPHICS] = SURE
    framed = np.random.default_rng(3).integers(90, 100, (224, 224), dtype=np.uint8)
    framed[10] = 200

    graphics = outline(logits, framed).graphics

    assert graphics[10].all()
    assert np.count_nonzero(graphics) == 224


def test_an_outline_encloses_its_level() -> None:
    found = outline(maps(levels(5.0)), BLACK).spine
    assert found is not None

    for level in found.levels:
        xs, ys = np.array(level.outline).T
        area = 0.5 * abs(float(xs @ np.roll(ys, 1) - ys @ np.roll(xs, 1)))
        assert area == pytest.approx(level.area, rel=0.05)
        assert xs.min() < level.centre[0] < xs.max()
        assert ys.min() < level.centre[1] < ys.max()


@pytest.fixture(scope="module")
def outliner() -> Outliner:
    return Outliner(artifact.load("vertebrae", artifact.FOLDER))


@pytest.mark.parametrize("overlay", [False, True], ids=["plain", "with lines"])
def test_the_shipped_network_outlines_phantoms(outliner: Outliner, overlay: bool) -> None:
    rng = np.random.default_rng(77)
    drawn = [
        phantom.draw(rng, nuisance=ranges, artefact=Artefact.NONE, overlay=overlay)
        for ranges in (TRAINING, HELD_OUT) * 4
    ]

    found = outliner.outline(np.stack([recipe.frame(one.scan) for one in drawn]))

    apart = []
    for one, outlined in zip(drawn, found, strict=True):
        assert outlined.spine is not None
        assert outlined.graphics.any() == overlay or not overlay
        truth = {level.level: level for level in one.spine.levels}
        apart += [
            np.hypot(*np.subtract(level.centre, truth[level.level].centre))
            for level in outlined.spine.levels
        ]
    # A frame's pixels; one vertebra is 25 to 40 of them high.
    assert np.median(apart) < 3
    assert np.mean(np.array(apart) < 8) > 0.85
