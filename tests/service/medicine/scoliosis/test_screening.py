"""What is said of the curve: by its interval, never by the angle alone."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from service.language.locale import speaking
from service.medicine.scoliosis import wording
from service.medicine.scoliosis.schemas import CurveAnswer
from service.medicine.scoliosis.screening import Screening, screen
from service.medicine.scoliosis.trend import Seen, trend
from service.medicine.scoliosis.view import CurveCard, rows
from service.medicine.vertebrae.schemas import Vertebrae
from service.predictions.schemas import EXAMPLE


def column(curve: float, bulge: float = 10.0, **changes: Any) -> Vertebrae:
    """Return L1–L4 that curve by ``curve``, their middle ``bulge`` pixels to the right."""
    told = {
        **EXAMPLE["vertebrae"],
        "curve": curve,
        "curve_interval": (max(0.0, curve - 2.7), curve + 2.7),
        **changes,
    }
    levels = [dict(one) for one in told["levels"]]
    for one in levels[1:3]:
        one["centre"] = [one["centre"][0] + bulge, one["centre"][1]]
    return Vertebrae.model_validate({**told, "levels": levels})


def seen(on: str | None, curve: float | None, **changes: Any) -> Seen:
    return Seen(
        prediction_id=uuid4(),
        acquired_on=None if on is None else date.fromisoformat(on),
        vertebrae=None if curve is None else column(curve, **changes),
    )


@pytest.mark.parametrize(
    ("curve", "standing"),
    [(0.0, "below"), (7.2, "below"), (7.4, "uncertain"), (10.0, "uncertain"), (12.6, "uncertain"),
     (12.8, "reached"), (31.0, "reached")],
)  # fmt: skip
def test_the_interval_decides_against_the_threshold(curve: float, standing: str) -> None:
    found = screen(column(curve))
    assert isinstance(found, Screening)
    assert found.standing == standing
    assert bool(wording.following(found)) == (standing != "below")


def test_a_side_is_told_where_the_column_cannot_be_straight() -> None:
    assert screen(column(2.0)).side is None  # type: ignore[union-attr]  # it has four levels
    assert screen(column(9.0)).side == "right"  # type: ignore[union-attr]  # it has four levels
    assert screen(column(9.0, bulge=-4)).side == "left"  # type: ignore[union-attr]  # so has this


def test_without_four_levels_or_an_interval_nothing_is_told() -> None:
    three = column(20.0)
    short = three.model_copy(update={"levels": three.levels[:3]})
    older = column(4.0, curve_interval=None)
    assert (screen(short), screen(older)) == ("levels", "version")
    for one, word in ((short, "not all of L1 to L4"), (older, "Send the image again")):
        card = CurveCard.of(one)
        assert card is not None
        assert not card.angle
        assert word in card.said
    assert CurveCard.of(None) is None


@pytest.mark.parametrize("code", ["en", "de"])
def test_it_is_never_called_a_cobb_angle(code: str) -> None:
    with speaking(code):
        for curve in (3.0, 10.0, 25.0):
            card = CurveCard.of(column(curve))
            assert card is not None
            assert "Cobb" not in card.angle
            for one in card.following:
                assert one.source


def test_a_difference_is_a_change_from_five_degrees_on() -> None:
    points = trend(
        [
            seen("2024-03-01", 16.0),
            seen("2020-03-01", 9.0),
            seen("2022-03-01", 13.9),
            seen(None, 30.0),
            seen("2025-03-01", None),
        ]
    )
    assert [one.change for one in points] == [None, "no_change", "no_change", None]
    assert [one.difference for one in points] == [None, 4.9, 2.1, None]
    points = trend([seen("2020-03-01", 9.0), seen("2024-03-01", 14.0)])
    assert points[1].change == "larger"
    points = trend([seen("2020-03-01", 14.0), seen("2024-03-01", 9.0)])
    assert points[1].change == "smaller"
    points = trend([seen("2020-03-01", 14.0), seen("2020-03-01", 25.0)])
    assert points[1].change is None


def test_sides_that_differ_are_not_compared() -> None:
    points = trend([seen("2020-03-01", 14.0), seen("2024-03-01", 22.0, bulge=-10)])
    assert (points[1].change, points[1].difference) == ("other_side", None)
    assert "mirrored" in rows(points)[1].change


def test_an_exam_without_an_angle_is_passed_over() -> None:
    points = trend(
        [seen("2020-03-01", 9.0), seen("2022-03-01", 5.0, curve_interval=None),
         seen("2024-03-01", 15.0)]
    )  # fmt: skip
    assert [one.change for one in points] == [None, None, "larger"]
    assert points[2].earlier == date(2020, 3, 1)
    told = CurveAnswer.of(points)
    assert [one.untold for one in told.studies] == [None, "version", None]
    assert rows(trend([seen("2022-03-01", 5.0, curve_interval=None)])) == ()
