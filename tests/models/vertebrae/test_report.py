"""Geometry on polygons of known size and lean, and on phantoms, whose truth is known."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image

from models import phantom
from models.image import recipe
from models.image.recipe import SIDE
from models.image.scan import Scan
from models.phantom import Artefact
from models.vertebrae import report
from models.vertebrae.geometry import LEVELS, Level, Point, Spine
from models.vertebrae.nominal import TALL, nominal

NO_GRAPHICS = np.zeros((SIDE, SIDE), bool)
FLAT = np.full((SIDE, SIDE), 120, np.uint8)


def block(centre: Point, width: float, height: float, degrees: float = 0.0) -> tuple[Point, ...]:
    """Return a rectangle whose upper end leans to the right by ``degrees``."""
    angle = math.radians(degrees)
    across, along = (math.cos(angle), math.sin(angle)), (-math.sin(angle), math.cos(angle))
    return tuple(
        (
            centre[0] + u * width / 2 * across[0] + v * height / 2 * along[0],
            centre[1] + u * width / 2 * across[1] + v * height / 2 * along[1],
        )
        for u, v in ((-1, -1), (1, -1), (1, 1), (-1, 1))
    )


def column(degrees: Sequence[float], width: float = 40.0, height: float = 26.0) -> Spine:
    """Return L1–L4 that follow each other along their own leans, 36 apart."""
    levels: list[Level] = []
    x, y = 110.0, 58.0
    for number, lean in enumerate(degrees):
        if number:
            between = math.radians((lean + degrees[number - 1]) / 2)
            x, y = x - 36 * math.sin(between), y + 36 * math.cos(between)
        outline = block((x, y), width, height, lean)
        levels.append(Level(LEVELS[number], outline, (x, y), width * 36, 0.9))
    return Spine(tuple(levels))


@pytest.mark.parametrize("lean", [-12.0, -5.0, 0.0, 2.5, 12.0])
def test_a_straight_column_that_leans_is_read_as_it_was_drawn(lean: float) -> None:
    found = report.describe(column([lean] * 4), SIDE, SIDE, FLAT)
    assert found.axis_tilt == pytest.approx(lean, abs=0.01)
    assert found.curve == pytest.approx(0, abs=0.01)
    for one in found.levels:
        assert one.tilt == pytest.approx(lean, abs=0.01)
        assert one.height == pytest.approx(26, abs=0.01)
        assert one.width == pytest.approx(40, abs=0.01)


@pytest.mark.parametrize("curve", [0.0, 6.0, 18.0])
def test_an_arc_curves_by_the_angle_between_its_ends(curve: float) -> None:
    leans = [curve * (0.5 - n / 3) for n in range(4)]
    found = report.describe(column(leans), SIDE, SIDE, FLAT)
    assert found.curve == pytest.approx(curve, abs=0.15)
    assert [one.tilt for one in found.levels] == pytest.approx(leans, abs=0.05)


def test_a_vertebra_may_lean_otherwise_than_the_column() -> None:
    upright = column([0.0] * 4)
    tipped = block(upright.levels[1].centre, 40, 26, 8.0)
    level = Level("L2", tipped, upright.levels[1].centre, 40 * 36, 0.9)
    spine = Spine((upright.levels[0], level, *upright.levels[2:]))
    found = report.describe(spine, SIDE, SIDE, FLAT).levels[1]
    assert found.tilt == pytest.approx(8, abs=0.01)
    assert (found.height, found.width) == pytest.approx((26, 40), abs=0.01)


def test_lengths_are_in_pixels_of_the_image_as_sent() -> None:
    found = report.describe(nominal(), 2 * SIDE, 3 * SIDE, FLAT)
    assert found.levels[0].height == pytest.approx(3 * TALL)
    assert found.levels[0].width == pytest.approx(2 * recipe.WIDTH)
    assert found.levels[0].outline[0] == pytest.approx(
        (2 * nominal().levels[0].outline[0][0], 3 * nominal().levels[0].outline[0][1])
    )
    assert np.allclose(found.placement, [[2, 0, 0], [0, 3, 0]])


@pytest.mark.parametrize(
    ("spacing", "height"),
    [
        (None, None),
        ((0.6, 0.6), 26 * 0.6),
        ((0.5, 0.9), 26 * 0.5),
        ((1.9, 1.9), None),
        ((0.6, 0.3), None),
    ],
)
def test_millimetres_need_a_pixel_size_that_can_be_believed(
    spacing: tuple[float, float] | None, height: float | None
) -> None:
    for one in report.describe(column([0.0] * 4), SIDE, SIDE, FLAT, spacing).levels:
        assert one.height_mm == (height and pytest.approx(height, abs=0.01))


def test_a_level_that_is_brighter_stands_out_and_no_gain_changes_that() -> None:
    image = np.full((SIDE, SIDE), 60, np.uint8)
    spine = nominal()
    for level, grey in zip(spine.levels, (100, 100, 160, 100), strict=True):
        (left, top), _, (right, bottom), _ = level.outline
        image[round(top) : round(bottom), round(left) : round(right)] = grey
    found = [one.relative_density for one in report.describe(spine, SIDE, SIDE, image).levels]
    mean = (40 + 40 + 100 + 40) / 4
    assert found == pytest.approx([40 / mean, 40 / mean, 100 / mean, 40 / mean], abs=0.03)
    darker = (20 + image * 0.5).astype(np.uint8)
    again = [one.relative_density for one in report.describe(spine, SIDE, SIDE, darker).levels]
    assert again == pytest.approx(found, abs=0.03)


def test_on_phantoms_leans_and_curves_are_those_that_were_drawn() -> None:
    tilts, curves = [], []
    for seed in range(40):
        drawn = phantom.draw(np.random.default_rng(seed), artefact=Artefact.NONE, overlay=False)
        spine = outlined(drawn.vertebrae)
        height, width = drawn.vertebrae.shape
        canonical = recipe.prepare(Scan(drawn.image, 8, "png"), spine, NO_GRAPHICS)
        found = report.describe(spine, width, height, canonical)
        # A phantom's tilt is positive where the spine runs to the right on its way down.
        tilts += [one.tilt + tilt for one, tilt in zip(found.levels, drawn.tilts, strict=True)]
        curves.append(found.curve - abs(drawn.tilts[3] - drawn.tilts[0]))
    assert np.abs(tilts).mean() < 1.0
    assert np.abs(curves).mean() < 1.5
    assert np.percentile(np.abs(curves), 90) < 2.5


def test_end_plates_that_were_set_across_the_field_leave_the_curve_as_it_is() -> None:
    """As densitometers draw the lines between vertebrae, and the network has learnt them."""
    leaning = column([9.0, 3.0, -3.0, -9.0])
    levels = [
        Level(one.level, block(one.centre, 40, 26), one.centre, one.area, one.confidence)
        for one in leaning.levels
    ]
    found = report.describe(Spine(tuple(levels)), SIDE, SIDE, FLAT)
    assert found.curve == pytest.approx(18, abs=0.15)


def outlined(mask: np.ndarray) -> Spine:
    """Return the spine of a phantom's mask, its edges read row by row in the frame."""
    frame = np.asarray(Image.fromarray(mask).resize((SIDE, SIDE), Image.Resampling.NEAREST))
    levels = []
    for number, name in enumerate(LEVELS, start=1):
        rows = np.flatnonzero((frame == number).any(1))
        edges = [np.flatnonzero(frame[row] == number)[[0, -1]] for row in rows]
        right = [(float(end + 1), row + 0.5) for row, (_, end) in zip(rows, edges, strict=True)]
        left = [(float(start), row + 0.5) for row, (start, _) in zip(rows, edges, strict=True)]
        down, across = np.nonzero(frame == number)
        centre = (float(across.mean()) + 0.5, float(down.mean()) + 0.5)
        levels.append(Level(name, (*right, *reversed(left)), centre, float(len(down)), 0.9))
    return Spine(tuple(levels))
