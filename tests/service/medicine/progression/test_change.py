"""The rule of the least significant change, with numbers worked by hand."""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from service.exams.schemas import Exam
from service.medicine.progression.change import Change, compare, course, obstacles
from service.medicine.progression.precision import Precision

ALL = ("L1", "L2", "L3", "L4")
MACHINE = {"vendor": "Hologic", "serial": "DX-1"}


def exam(bmd: float | None = 0.9, on: str | None = "2020-03-01", **facts: Any) -> Exam:
    return Exam.model_validate(
        {
            "prediction_id": uuid4(),
            "bmd_g_cm2": bmd,
            "acquired_on": on,
            "scanner": MACHINE,
            "vertebrae": ALL,
            **facts,
        }
    )


@pytest.mark.parametrize(
    ("precision", "vertebrae", "least"),
    [
        # Nelson 2010 observed 0.008 to 0.011 g/cm², and gives 0.022 to 0.031 for 2.77 times that.
        ("0.008", 4, "0.02216"),
        ("0.011", 4, "0.03047"),
        # 0.010 × 2.77 = 0.0277; × 1.07 and × 1.24 (Manitoba).
        ("0.010", 4, "0.0277"),
        ("0.010", 3, "0.029639"),
        ("0.010", 2, "0.034348"),
    ],
)
def test_worked_least_significant_changes(precision: str, vertebrae: int, least: str) -> None:
    found = Precision(spine_g_cm2=Decimal(precision)).least_significant_change(vertebrae)
    assert found == Decimal(least)


def test_observed_precision_gives_the_published_range() -> None:
    ends = [
        Precision(spine_g_cm2=Decimal(p)).least_significant_change(4) for p in ("0.008", "0.011")
    ]
    assert [str(round(end, 3)) for end in ends] == ["0.022", "0.030"]


def test_factors_are_configuration() -> None:
    own = Precision(spine_g_cm2=Decimal("0.010"), three=Decimal("1.39"), two=Decimal("1.60"))
    assert own.least_significant_change(3) == Decimal("0.038503")
    assert own.least_significant_change(2) == Decimal("0.04432")
    assert own.least_significant_change(4) == Decimal("0.0277")


@pytest.mark.parametrize("vertebrae", [0, 1, 5])
def test_other_numbers_of_vertebrae_are_not_monitored(vertebrae: int) -> None:
    with pytest.raises(ValueError, match="2, 3 or 4"):
        Precision().least_significant_change(vertebrae)


# 2.77 × 0.010 = 0.0277, so 0.027 is within and 0.028 beyond.
@pytest.mark.parametrize(
    ("after", "verdict"),
    [
        (0.928, "gain"),
        (0.927, "no_significant_change"),
        (0.9, "no_significant_change"),
        (0.873, "no_significant_change"),
        (0.872, "loss"),
    ],
)
def test_changed_only_beyond_the_least_significant_change(after: float, verdict: str) -> None:
    precision = Precision(spine_g_cm2=Decimal("0.010"))
    change = compare(exam(0.9), exam(after, "2022-03-01"), precision)
    assert change.verdict == verdict
    assert change.difference == Decimal(str(after)) - Decimal("0.9")
    assert change.least == Decimal("0.0277")
    assert change.against == ()


def test_a_difference_equal_to_it_reaches_it() -> None:
    # 2.77 × 0.1 = 0.277, and in binary 0.699 − 0.422 is less than that.
    precision = Precision(spine_g_cm2=Decimal("0.1"))
    assert 0.699 - 0.422 < 0.277
    assert compare(exam(0.422), exam(0.699, "2021-01-01"), precision).verdict == "gain"
    assert compare(exam(0.699), exam(0.422, "2021-01-01"), precision).verdict == "loss"
    nearly = compare(exam(0.422), exam(0.698, "2021-01-01"), precision)
    assert nearly.verdict == "no_significant_change"


@pytest.mark.parametrize(
    ("vertebrae", "verdict"),
    [
        (ALL, "loss"),  # 0.031 ≥ 0.0277
        (("L1", "L2", "L3"), "loss"),  # 0.031 ≥ 0.029639
        (("L2", "L4"), "no_significant_change"),  # 0.031 < 0.034348
    ],
)
def test_fewer_vertebrae_need_more(vertebrae: tuple[str, ...], verdict: str) -> None:
    precision = Precision(spine_g_cm2=Decimal("0.010"))
    pair = exam(0.9, vertebrae=vertebrae), exam(0.869, "2021-01-01", vertebrae=vertebrae)
    assert compare(*pair, precision).verdict == verdict


@pytest.mark.parametrize(
    ("later", "against"),
    [
        ({"bmd_g_cm2": None}, "bmd_missing"),
        ({"acquired_on": None}, "date_missing"),
        ({"acquired_on": "2020-03-01"}, "same_day"),
        ({"scanner": None}, "machine_missing"),
        ({"scanner": {**MACHINE, "serial": "DX-2"}}, "machine_differs"),
        ({"scanner": {**MACHINE, "vendor": "GE"}}, "machine_differs"),
        ({"vertebrae": None}, "vertebrae_missing"),
        ({"vertebrae": ("L1", "L2", "L3")}, "vertebrae_differ"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_condition_alone_prevents_a_verdict(later: dict[str, Any], against: str) -> None:
    earlier = exam(1.2)
    facts = exam(0.6, "2024-01-01").model_dump(exclude={"conflicts"})
    other = Exam.model_validate({**facts, **later})
    change = compare(earlier, other, Precision())
    assert change == Change(
        earlier=earlier.prediction_id, verdict="not_comparable", against=(against,)
    )
    assert obstacles(other, earlier) == (against,)


def test_one_vertebra_is_never_monitored() -> None:
    pair = exam(1.2, vertebrae=("L3",)), exam(0.6, "2024-01-01", vertebrae=("L3",))
    assert compare(*pair, Precision()).against == ("too_few_vertebrae",)


def test_all_that_is_missing_is_told() -> None:
    bare = Exam(prediction_id=uuid4())
    assert obstacles(bare, exam()) == (
        "bmd_missing",
        "date_missing",
        "machine_missing",
        "vertebrae_missing",
    )


def test_how_a_machine_is_written_does_not_matter() -> None:
    other = {"vendor": "HOLOGIC", "serial": "dx-1"}
    assert obstacles(exam(), exam(on="2021-01-01", scanner=other)) == ()


def test_a_t_score_alone_changes_nothing() -> None:
    pair = (
        exam(0.9, t_score=-1.0),
        exam(0.9, "2021-01-01", t_score=-3.0),
    )
    assert compare(*pair, Precision()).verdict == "no_significant_change"


def test_a_course_is_in_order_and_looks_back_twice() -> None:
    """A slow loss shows against the baseline although no step of it does."""
    precision = Precision(spine_g_cm2=Decimal("0.010"))
    third = exam(0.86, "2024-01-01")
    first = exam(0.9, "2020-01-01")
    second = exam(0.88, "2022-01-01")
    undated = exam(0.5, None)
    points = course([third, undated, first, second], precision)
    assert [point.exam for point in points] == [first, second, third, undated]
    assert (points[0].previous, points[0].baseline) == (None, None)
    assert points[1].previous is not None
    assert points[1].previous.verdict == "no_significant_change"
    assert points[1].baseline is None
    previous, baseline = points[2].previous, points[2].baseline
    assert previous is not None
    assert baseline is not None
    assert (previous.earlier, previous.verdict) == (second.prediction_id, "no_significant_change")
    assert (baseline.earlier, baseline.verdict) == (first.prediction_id, "loss")
    assert baseline.difference == Decimal("-0.04")
    assert baseline.percent is not None
    assert round(baseline.percent, 2) == Decimal("-4.44")
    assert points[3].previous is not None
    assert points[3].previous.against == ("date_missing",)


def test_the_baseline_skips_what_cannot_be_compared() -> None:
    elsewhere = exam(1.1, "2018-01-01", scanner={**MACHINE, "serial": "old"})
    first, between = exam(0.9, "2020-01-01"), exam(1.0, "2021-01-01", vertebrae=("L1", "L2"))
    last = exam(0.8, "2022-01-01")
    point = course([elsewhere, first, between, last], Precision())[-1]
    assert point.previous is not None
    assert point.previous.verdict == "not_comparable"
    assert point.baseline is not None
    assert point.baseline.earlier == first.prediction_id


def test_no_study_no_course() -> None:
    assert course([], Precision()) == ()
    assert [field.name for field in fields(Precision)] == ["spine_g_cm2", "three", "two"]


def test_dates_decide_the_order_not_the_entering() -> None:
    late, early = exam(on="2022-02-02"), exam(on="2021-02-02")
    assert [point.exam.acquired_on for point in course([late, early], Precision())] == [
        date(2021, 2, 2),
        date(2022, 2, 2),
    ]
