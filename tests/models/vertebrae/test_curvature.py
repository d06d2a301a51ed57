"""How far the served network's screening angle is off, on phantoms that nothing was set by."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models import artifact, phantom
from models.inference.base import Outliner
from models.inference.preparation import prepare
from models.phantom import HELD_OUT
from models.vertebrae.curvature import HALF, NOMINAL, interval
from models.vertebrae.geometry import LEVELS
from models.vertebrae.report import describe

COUNT = 60


@pytest.fixture(scope="module")
def errors() -> np.ndarray:
    """How many degrees each of :data:`COUNT` phantoms' angle is too large: 0 to 30 were drawn."""
    outline = Outliner(artifact.load("vertebrae", artifact.FOLDER)).outline
    ranges = replace(HELD_OUT, curvature=(0.0, 30.0))
    found = []
    for number in range(COUNT):
        drawn = phantom.draw(np.random.default_rng([2611, number]), nuisance=ranges)
        (prepared,) = prepare([drawn.scan], outline)
        spine = prepared.outlined.spine
        if spine is None or prepared.canonical is None or len(spine.levels) < len(LEVELS):
            continue
        told = describe(spine, drawn.scan.width, drawn.scan.height, prepared.canonical)
        found.append(told.curve - abs(drawn.curvature))
    assert len(found) > COUNT * 0.9
    return np.array(found)


def test_the_angle_is_right_to_two_degrees(errors: np.ndarray) -> None:
    assert np.abs(errors).mean() < 2
    assert np.median(np.abs(errors)) < 1.5
    assert (np.abs(errors) <= 2).mean() > 0.7
    # Neither small angles throughout, as those between end plates are, nor large ones.
    assert abs(np.median(errors)) < 1


def test_the_interval_holds_as_often_as_it_says(errors: np.ndarray) -> None:
    """Within what 60 phantoms leave open: three standard errors."""
    held = (np.abs(errors) <= HALF).mean()
    assert held == pytest.approx(NOMINAL, abs=3 * np.sqrt(NOMINAL * (1 - NOMINAL) / COUNT))


def test_no_angle_is_below_nought() -> None:
    assert interval(1.0) == (0.0, 1.0 + HALF)
    assert interval(12.0) == (12.0 - HALF, 12.0 + HALF)
