"""Every rule just below its limit and just above, and which of them question the image."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from models.gate.reason import Reason
from models.image.recipe import SIDE
from models.vertebrae import findings, report
from models.vertebrae.findings import CONFIDENT, QUESTIONING, Code, Finding, questioned
from models.vertebrae.geometry import Level, Spine
from models.vertebrae.nominal import nominal
from models.vertebrae.report import LevelReport, Report

FLAT = np.full((SIDE, SIDE), 120, np.uint8)
NOTHING = np.zeros((SIDE, SIDE), bool)
PLAIN = report.describe(nominal(), SIDE, SIDE, FLAT)
GOOD = replace(PLAIN, levels=tuple(replace(one, relative_density=1.0) for one in PLAIN.levels))


def told(changed: Report = GOOD, spine: Spine | None = None) -> list[tuple[str, str | None]]:
    found = findings.findings(spine or nominal(), changed, FLAT, FLAT, NOTHING)
    return [(one.code, one.level) for one in found]


def with_level(place: int, **changes: float) -> Report:
    levels: list[LevelReport] = list(GOOD.levels)
    levels[place] = replace(levels[place], **changes)
    return replace(GOOD, levels=tuple(levels))


def test_a_plain_spine_has_none() -> None:
    assert told() == []


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (replace(GOOD, axis_tilt=5.0), []),
        (replace(GOOD, axis_tilt=5.1), [("axis_tilt", None)]),
        (replace(GOOD, axis_tilt=-5.1), [("axis_tilt", None)]),
        (replace(GOOD, curve=9.9), []),
        (replace(GOOD, curve=10.0), [("curve", None)]),
        (with_level(2, relative_density=1.24), []),
        (with_level(2, relative_density=1.26), [("denser_than_neighbours", "L3")]),
        (with_level(0, relative_density=1.26), [("denser_than_neighbours", "L1")]),
        (with_level(1, height=0.81 * 30), []),
        (with_level(1, height=0.79 * 30), [("height_outlier", "L2")]),
        (with_level(3, confidence=CONFIDENT + 0.01), []),
        (with_level(3, confidence=CONFIDENT - 0.01), [("levels_uncertain", "L4")]),
        (replace(GOOD, levels=GOOD.levels[1:]), [("levels_uncertain", None)]),
    ],
)
def test_each_rule_has_its_limit(changed: Report, expected: list[tuple[str, str | None]]) -> None:
    assert told(changed) == expected


@pytest.mark.parametrize(
    ("shift", "expected"),
    [((0.0, 37.0), []), ((0.0, 41.5), ["L4"]), ((-76.0, 0.0), []), ((-77.0, 0.0), list("1234"))],
)
def test_a_level_at_the_border_may_be_cut(shift: tuple[float, float], expected: list[str]) -> None:
    # The nominal column ends 43 pixels above the lower border, and 78 right of the left one.
    spine = Spine(tuple(moved(level, *shift) for level in nominal().levels))
    found = [one.level for one in findings.part_missing(spine)]
    assert found == [name if name.startswith("L") else f"L{name}" for name in expected]


@pytest.mark.parametrize(("shift", "expected"), [(-34.0, []), (-36.0, ["L1"]), (-42.0, ["L1"])])
def test_nothing_above_the_first_level_may_be_half_a_spine(
    shift: float, expected: list[str]
) -> None:
    # The nominal L1 is 30 pixels high, and begins 43 below the upper border.
    spine = Spine(tuple(moved(level, 0.0, shift) for level in nominal().levels))
    assert [one.level for one in findings.part_missing(spine)] == expected


def moved(level: Level, x: float, y: float) -> Level:
    outline = tuple((px + x, py + y) for px, py in level.outline)
    return replace(level, outline=outline, centre=(level.centre[0] + x, level.centre[1] + y))


CODES = (*get_args(Code), *(reason for reason in Reason if not reason.refuses))


@pytest.mark.parametrize("code", CODES)
def test_only_what_questions_the_image_takes_normal_away(code: Code) -> None:
    expected = "indeterminate" if code in QUESTIONING else "normal"
    assert questioned("normal", [code]) == expected
    assert questioned("osteoporosis", [code]) == "osteoporosis"
    assert questioned("indeterminate", [code]) == "indeterminate"


def test_what_is_missing_turned_too_dense_or_too_short_questions_the_image() -> None:
    asked = {"part_missing", "levels_uncertain", "turned", "foreign_object"}
    assert asked | {"scan_area", "for_processing"} <= QUESTIONING
    told = {"axis_tilt", "curve", "denser_than_neighbours", "height_outlier", "motion"}
    assert not QUESTIONING & told
    assert set(CODES) >= QUESTIONING


@pytest.mark.parametrize(
    ("tilt", "expected"),
    [(5.0, []), (-7.0, ["axis_tilt"]), (12.0, ["axis_tilt"]), (-12.1, ["axis_tilt", "turned"])],
)
def test_a_spine_that_lies_farther_than_in_position_is_turned(
    tilt: float, expected: list[str]
) -> None:
    found = list(findings.axis_tilt(replace(GOOD, axis_tilt=tilt)))
    assert [one.code for one in found] == expected
    assert all(one.value == tilt for one in found)


def test_a_finding_names_what_it_was_held_against() -> None:
    (found,) = findings.axis_tilt(replace(GOOD, axis_tilt=-7.25))
    assert found == Finding("axis_tilt", None, -7.25, "more than 5 degrees from the vertical")
