"""Angles measured on what is drawn, as a reader measures a Cobb angle, against those stated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from models.phantom import HELD_OUT, TRAINING, Artefact, Nuisance, draw, draw_person
from models.phantom.bone import Build, vertebra
from models.phantom.reference import LEVELS
from models.phantom.spine import FIRST, Grid, Pose, Spine, lay

ANGLES = np.arange(-22.0, 22.1, 0.5)
REACH_MM = 5.0
Values = NDArray[np.float64]


def plate(density: Values, mask: NDArray[np.uint8], spacing: float, index: int, side: int) -> float:
    """Return the tilt of an end-plate in degrees: of L1 for ``index`` 0; ``side`` 1 is the lower.

    It is the direction along which density, averaged over the plate, drops most steeply from the
    body to the disc. Nothing but pixels is looked at, and the mask for where to look.
    """
    rows, columns = np.nonzero(mask == index + 1)
    column = columns.mean()
    middle = rows[np.abs(columns - column) < 3]
    near = (middle.max() if side > 0 else middle.min()) - side * REACH_MM / spacing
    half = 0.4 * len(rows) / np.ptp(middle)
    across = np.arange(-half, half, 1.0)[None, :]
    along = side * np.arange(-REACH_MM, REACH_MM, 0.5 * spacing)[:, None] / spacing
    drops = []
    for angle in np.deg2rad(ANGLES):
        x = column + across * np.cos(angle) + along * np.sin(angle)
        y = near - across * np.sin(angle) + along * np.cos(angle)
        profile = np.convolve(sampled(density, x, y).mean(axis=1), np.ones(3) / 3, "valid")
        drops.append((profile[:-4] - profile[4:]).max())
    return float(ANGLES[np.argmax(drops)])


def sampled(image: Values, x: Values, y: Values) -> Values:
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    right, low = x - left, y - top
    upper = image[top, left] * (1 - right) + image[top, left + 1] * right
    lower = image[top + 1, left] * (1 - right) + image[top + 1, left + 1] * right
    return np.asarray(upper * (1 - low) + lower * low)


def bodies(spine: Spine, grid: Grid) -> Values:
    """Return the density of all vertebral bodies, without the facets that overlie end-plates."""
    density = np.zeros(grid.shape)
    for level in range(len(LEVELS)):
        build = Build(frail=0.3, rotation=0.0, posterior=False)
        window, bone = vertebra(np.random.default_rng(level), spine, level, grid, build)
        density[window] += bone
    return density


@pytest.mark.parametrize("nuisance", [TRAINING, HELD_OUT], ids=["training", "held out"])
@pytest.mark.parametrize("curvature", [-16.0, -7.0, 0.0, 3.0, 12.0])
def test_cobb_angle_of_the_drawn_end_plates_is_the_stated_one(
    nuisance: Nuisance, curvature: float
) -> None:
    rng = np.random.default_rng(11)
    for _ in range(3):
        grid = Grid.draw(rng, nuisance)
        pose = replace(Pose.draw(rng, nuisance), curvature=curvature, offset=(0.0, 0.0))
        spine = lay(draw_person(rng, None, nuisance), pose)
        density, mask = bodies(spine, grid), spine.mask(grid)
        upper = plate(density, mask, grid.spacing, 0, -1)
        lower = plate(density, mask, grid.spacing, 3, 1)
        tilts = np.rad2deg(spine.tilts[FIRST : FIRST + 4])
        assert upper == pytest.approx(tilts[0], abs=1.5)
        assert lower == pytest.approx(tilts[3], abs=1.5)
        assert lower - upper == pytest.approx(curvature, abs=2.0)


def test_whole_phantoms_have_it_too_though_facets_blur_it() -> None:
    rng = np.random.default_rng(11)
    errors = []
    for _ in range(16):
        phantom = draw(rng, None, HELD_OUT, Artefact.NONE)
        upper, lower = (
            plate(phantom.density.astype(float), phantom.vertebrae, phantom.spacing, *where)
            for where in ((0, -1), (3, 1))
        )
        errors.append(lower - upper - phantom.curvature)
    assert np.median(errors) == pytest.approx(0.0, abs=2.0)
    assert np.median(np.abs(errors)) < 3.0
