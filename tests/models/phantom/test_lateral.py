"""Lateral phantoms: their points are where they were drawn, and grade what was drawn."""

from __future__ import annotations

import numpy as np
import pytest

from models.phantom import lateral
from models.vertebrae.morphometry import SixPoints, grade

COUNT = 60


@pytest.fixture(scope="module")
def drawn() -> list[lateral.Lateral]:
    found = []
    for number in range(COUNT):
        rng = np.random.default_rng([26, number])
        found.append(lateral.draw(rng, lateral.some(rng)))
    return found


def right(drawn: list[lateral.Lateral], jitter: float = 0.0) -> tuple[float, float]:
    """Return the shares of fractured and of other vertebrae whose grade is that which was drawn.

    ``jitter``: pixels by which a reader sets each point beside its place, one standard deviation.
    """
    rng = np.random.default_rng(4)
    broken, whole = [], []
    for one in drawn:
        points = {}
        for level, six in one.points.items():
            moved = np.array([six.upper, six.lower]) + rng.normal(0, jitter, (2, 3, 2))
            upper, lower = (tuple((float(x), float(y)) for x, y in plate) for plate in moved)
            points[level] = SixPoints(upper, lower)  # type: ignore[arg-type]  # three points each
        for told in grade(points):
            fracture = one.fractures.get(told.level)
            if fracture is None:
                whole.append(told.grade == 0)
            else:
                broken.append((told.grade, told.shape) == (fracture.grade, fracture.shape))
    return float(np.mean(broken)), float(np.mean(whole))


def test_grades_of_true_points_are_those_that_were_drawn(drawn: list[lateral.Lateral]) -> None:
    broken, whole = right(drawn)
    assert broken >= 0.95
    assert whole >= 0.99


def test_a_reader_s_tenth_of_a_pixel_changes_few(drawn: list[lateral.Lateral]) -> None:
    broken, whole = right(drawn, 0.1)
    assert broken >= 0.9
    assert whole >= 0.99


def test_points_lie_on_the_edge_of_what_is_bright(drawn: list[lateral.Lateral]) -> None:
    steps = []
    for one in drawn[:20]:
        image = one.image.astype(float)
        for six in one.points.values():
            x, y = six.upper[1]
            if 6 < y < len(image) - 6:
                column = image[:, round(x)]
                steps.append(column[round(y + 3)] - column[round(y - 3)])
    assert np.mean(np.array(steps) > 0) > 0.95


def test_one_seed_draws_one_image() -> None:
    one, same, other = (lateral.draw(np.random.default_rng(seed), {}) for seed in (1, 1, 2))
    assert np.array_equal(one.image, same.image)
    assert not np.array_equal(one.image[:200], other.image[:200])


def test_front_is_where_no_spinous_processes_are(drawn: list[lateral.Lateral]) -> None:
    for one in drawn[:10]:
        six = one.points["L2"]
        assert (six.upper[0][0] < six.upper[2][0]) == (one.front == "left")
