from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.phantom import TRAINING, Artefact, Phantom, draw


def centroids(phantom: Phantom) -> list[tuple[float, float]]:
    found = []
    for index in range(4):
        rows, columns = np.nonzero(phantom.vertebrae == index + 1)
        found.append((float(columns.mean()), float(rows.mean())))
    return found


@pytest.mark.parametrize("wanted", [0.0, 6.0, 15.0])
def test_curvature_is_recovered_from_the_mask(wanted: float) -> None:
    nuisance = replace(TRAINING, curvature=(wanted, wanted))
    phantom = draw(np.random.default_rng(1), None, nuisance, Artefact.NONE)
    assert abs(phantom.curvature) == pytest.approx(wanted)
    (x1, y1), (x2, y2), (x3, y3), (x4, y4) = centroids(phantom)
    upper, lower = np.arctan2(x2 - x1, y2 - y1), np.arctan2(x4 - x3, y4 - y3)
    # From L1–L2 to L3–L4 are two of the three steps between L1 and L4.
    recovered = np.rad2deg(lower - upper) * 3.0 / 2.0
    assert recovered == pytest.approx(phantom.curvature, abs=1.5)


def test_tilts_are_those_of_the_axis(clean: list[Phantom]) -> None:
    for phantom in clean:
        points = phantom.centres
        axis = np.rad2deg(np.arctan2(points[3, 0] - points[0, 0], points[3, 1] - points[0, 1]))
        assert axis == pytest.approx(phantom.tilts.mean(), abs=0.6)


def test_centres_lie_in_their_vertebra_from_top_to_bottom(clean: list[Phantom]) -> None:
    for phantom in clean:
        for index, (column, row) in enumerate(phantom.centres):
            assert phantom.vertebrae[round(row), round(column)] == index + 1
        assert (np.diff(phantom.centres[:, 1]) > 0).all()


def test_vertebrae_grow_downwards(clean: list[Phantom]) -> None:
    mean = np.mean([phantom.area for phantom in clean], axis=0)
    assert (np.diff(mean) > 0).all()
