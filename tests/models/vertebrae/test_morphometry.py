"""Heights and grades of six points that were set: exact, whatever the vertebra leans."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest

from models.vertebrae.geometry import Point
from models.vertebrae.morphometry import (
    LATERAL_LEVELS,
    Grade,
    LateralLevel,
    Shape,
    SixPoints,
    grade,
    graded,
)


def body(front: float, middle: float, back: float, lean: float = 0.0, y: float = 0.0) -> SixPoints:
    """Return a vertebra of these heights whose plates lean by ``lean`` degrees about (0, y)."""
    cosine, sine = math.cos(math.radians(lean)), math.sin(math.radians(lean))

    def put(u: float, v: float) -> Point:
        return u * cosine - v * sine, y + u * sine + v * cosine

    places = zip((-15.0, 0.0, 15.0), (front, middle, back), strict=True)
    upper, lower = zip(*((put(u, -h / 2), put(u, h / 2)) for u, h in places), strict=True)
    return SixPoints(upper, lower)


def told(
    changed: Mapping[LateralLevel, tuple[float, float, float]],
) -> dict[LateralLevel, tuple[Grade, Shape | None]]:
    levels = {
        name: body(*changed.get(name, (30.0, 30.0, 30.0)), lean=3.0 * number - 18, y=40.0 * number)
        for number, name in enumerate(LATERAL_LEVELS)
    }
    return {one.level: (one.grade, one.shape) for one in grade(levels)}


@pytest.mark.parametrize("lean", [-30.0, 0.0, 12.5])
def test_heights_are_those_that_were_set(lean: float) -> None:
    assert body(24.0, 27.0, 30.0, lean).heights == pytest.approx((24.0, 27.0, 30.0), abs=1e-9)


@pytest.mark.parametrize(
    ("loss", "expected"),
    [(-0.1, 0), (0.0, 0), (0.199, 0), (0.2, 1), (0.25, 1), (0.251, 2), (0.4, 2), (0.401, 3),
     (0.9, 3)],
)  # fmt: skip
def test_grades_by_loss(loss: float, expected: Grade) -> None:
    assert graded(loss) == expected
    height = 30.0 * (1 - loss)
    assert told({"L1": (height, 30.0, 30.0)})["L1"][0] == expected
    assert told({"T8": (30.0, height, 30.0)})["T8"][0] == expected
    if loss < 0.9:
        assert told({"L4": (height, height, height)})["L4"][0] == expected


def test_shapes() -> None:
    found = told(
        {
            "T8": (20.0, 25.0, 30.0),
            "T12": (28.0, 20.0, 30.0),
            "L2": (20.0, 20.0, 20.0),
            "L4": (12.0, 18.0, 22.0),
        }
    )
    assert found["T8"] == (2, "wedge")
    assert found["T12"] == (2, "biconcave")
    assert found["L2"] == (2, "crush")
    assert found["L4"] == (3, "crush")
    others = set(LATERAL_LEVELS) - {"T8", "T12", "L2", "L4"}
    assert {found[name] for name in others} == {(0, None)}


def test_a_vertebra_beside_a_crushed_one_is_sound() -> None:
    found = told({"L1": (15.0, 15.0, 15.0)})
    assert (found["T12"], found["L2"]) == ((0, None), (0, None))
    assert found["L1"] == (3, "crush")


def test_two_crushed_ones_side_by_side_are_both_found() -> None:
    """Where the sound ones about them are two thirds of all that they are held against."""
    found = told({"T11": (18.0, 18.0, 18.0), "T12": (18.0, 18.0, 18.0)})
    assert (found["T11"][1], found["T12"][1]) == ("crush", "crush")


def test_a_vertebra_alone_is_not_held_against_others() -> None:
    (one,) = grade({"L1": body(20.0, 28.0, 30.0)})
    assert one.losses[2] is None
    assert (one.grade, one.shape) == (2, "wedge")


def test_plates_that_cross_are_no_vertebra() -> None:
    with pytest.raises(ValueError, match="not below"):
        SixPoints(((0, 0), (10, 0), (20, 0)), ((0, 5), (10, 5), (20, -1)))
