"""Which drug acts when, from what visits tell."""

from __future__ import annotations

import math
from datetime import date

import numpy as np
import pytest

from models.progression.treatment import Course, courses, exposure, planned
from models.progression.visit import CLASSES
from tests.models.progression.kit import visit

FAST, YEARLY, AFTER = (3 * CLASSES.index("denosumab") + k for k in range(3))


def test_a_drug_goes_on_from_the_day_that_was_entered() -> None:
    found = courses([visit(0, 1.0), visit(2, 1.0, drug="denosumab", since=date(2011, 1, 1))])
    assert [(one.drug, round(one.start, 2), one.stop) for one in found] == [
        ("denosumab", 1.0, math.inf)
    ]


def test_a_drug_may_be_older_than_the_first_visit() -> None:
    (found,) = courses([visit(0, 1.0, drug="denosumab", since=date(2008, 1, 2))])
    assert found.start == pytest.approx(-2.0, abs=0.01)


@pytest.mark.parametrize(
    ("later", "stop"),
    [
        ({}, 3.0),  # halfway: nobody has entered when it was stopped
        ({"drug": "bisphosphonate", "since": date(2012, 7, 2)}, 2.5),
        ({"drug": "bisphosphonate"}, 3.0),
    ],
    ids=["stopped", "another from a day", "another"],
)
def test_a_drug_ends_when_another_begins_or_halfway(later: dict[str, object], stop: float) -> None:
    seen = [visit(0, 1.0), visit(2, 1.0, drug="denosumab", since=date(2011, 1, 1))]
    found = courses([*seen, visit(4, 1.0, **later)])
    assert found[0].stop == pytest.approx(stop, abs=0.01)


def test_a_class_with_a_limit_is_followed_by_a_bisphosphonate() -> None:
    ends = planned((Course("romosozumab", 1.0),))
    assert ends == (Course("romosozumab", 1.0, 2.0), Course("bisphosphonate", 2.0))
    assert planned((Course("denosumab", 1.0),)) == (Course("denosumab", 1.0),)
    assert planned((Course("parathyroid", 1.0, 2.0),)) == (Course("parathyroid", 1.0, 2.0),)


def test_what_a_drug_has_done_by_a_time() -> None:
    found = exposure([Course("denosumab", 1.0, 3.0)], np.array([0.0, 2.0, 3.0, 4.0]))
    assert found[:, YEARLY].tolist() == [0.0, 1.0, 2.0, 2.0]
    assert found[:, FAST] == pytest.approx(
        [0, 1 - math.exp(-1), 1 - math.exp(-2), 1 - math.exp(-2)]
    )
    assert found[:, AFTER] == pytest.approx([0, 0, 0, 1 - math.exp(-1)])
    assert not np.delete(found, [FAST, YEARLY, AFTER], axis=1).any()


def test_nothing_is_lost_where_another_drug_follows() -> None:
    taken = [Course("denosumab", 0.0, 2.0), Course("bisphosphonate", 2.0)]
    assert exposure(taken, np.array([5.0]))[0, AFTER] == 0.0
