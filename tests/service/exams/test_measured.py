"""Scanners' numbers in exams: taken where nobody entered any, and never over what somebody did."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from service.events import Event, Listeners
from service.exams.densitometer import reading
from service.exams.events import ExamMeasured
from service.exams.measured import understood
from service.exams.measurements import MOST_REPORTS, Measured
from service.exams.schemas import Exam, from_json
from service.medicine.guidance.study import fields_of, origins
from service.medicine.progression.change import compare
from service.medicine.progression.precision import Precision
from service.storage.database import Database
from tests.service.kit import reports
from tests.service.kit.records import ANYONE, keep, made, verbs
from tests.service.kit.reports import region, report, spine

pytestmark = pytest.mark.anyio

ALL = ["L1", "L2", "L3", "L4"]


def told(data: Any) -> Measured:
    found = understood(reading.of_report(reports.file(data)))
    assert found is not None
    return found


async def measured(
    database: Database, facts: dict[str, Any], *found: Measured, keys: str = "abcdefgh"
) -> Exam:
    """Return the exam of a new result with ``facts`` after each report has come."""
    one, on = made(0), verbs(database).exams
    await keep(database, one)
    if facts:
        await on.change(ANYONE, one.id, from_json(facts))
    for key, each in zip(keys, found, strict=False):
        await on.measure(ANYONE, one.id, {key: each})
    exam = await on.get(ANYONE, one.id)
    assert exam is not None
    return exam


async def test_what_nobody_entered_is_taken_and_said_to_be_the_scanners(
    database: Database,
) -> None:
    exam = await measured(database, {"age_years": 66}, told(spine()))
    assert (exam.bmd_g_cm2, exam.t_score, exam.vertebrae, exam.age_years) == (
        0.873, -1.8, tuple(ALL), 66,
    )  # fmt: skip
    assert exam.scanner is not None
    assert exam.from_scanner == ("bmd_g_cm2", "scanner", "t_score", "vertebrae")
    assert exam.conflicts == ()
    shown = exam.model_dump(mode="json")
    assert shown["measured"][0]["values"][-1]["t_score"] == -1.8


@pytest.mark.parametrize(
    "facts",
    [
        {"t_score": -1.2},
        {"bmd_g_cm2": 0.9},
        {"vertebrae": ["L2", "L3"]},
        {"scanner": {"vendor": "GE", "serial": "1"}},
    ],
    ids=lambda facts: next(iter(facts)),
)
async def test_what_somebody_entered_otherwise_stays_and_is_shown(
    database: Database, facts: dict[str, Any]
) -> None:
    exam = await measured(database, facts, told(spine()))
    (name,) = facts
    kept = exam.model_dump(mode="json")
    assert kept[name] == facts[name]
    # A T-score of other vertebrae, or of another machine, is not put beside it.
    assert exam.from_scanner == ()
    assert [kept[one] for one in ("bmd_g_cm2", "t_score", "vertebrae") if one != name] == [None] * (
        3 if name == "scanner" else 2
    )
    assert [one.field for one in exam.conflicts] == [name]
    (conflict,) = kept["conflicts"]
    assert conflict["kept"] == facts[name] != conflict["measured"]


async def test_what_somebody_entered_alike_is_theirs_and_the_rest_is_taken(
    database: Database,
) -> None:
    exam = await measured(database, {"t_score": -1.8}, told(spine()))
    assert exam.from_scanner == ("bmd_g_cm2", "scanner", "vertebrae")
    again = await measured(database, {"t_score": -1.8}, told(spine()), told(spine(t="-1.9")))
    assert (again.t_score, [one.measured for one in again.conflicts]) == (-1.8, [-1.9])


async def test_a_later_report_replaces_what_was_the_scanners_until_a_person_changes_it(
    database: Database,
) -> None:
    exam = await measured(database, {}, told(spine()), told(spine("0.9", "-1.5")), keys="aa")
    assert (exam.bmd_g_cm2, exam.t_score, len(exam.measured)) == (0.9, -1.5, 1)
    on = verbs(database).exams
    typed = from_json({"bmd_g_cm2": 0.9, "t_score": -1.4, "vertebrae": ALL})
    exam = await on.change(ANYONE, exam.prediction_id, typed)
    assert exam is not None
    assert exam.from_scanner == ("bmd_g_cm2", "vertebrae")
    assert [one.field for one in exam.conflicts] == ["t_score"]
    exam = await on.measure(ANYONE, exam.prediction_id, {"b": told(spine("0.91", "-1.3"))})
    assert exam is not None
    assert (exam.bmd_g_cm2, exam.t_score) == (0.9, -1.4)
    assert [(one.field, one.measured) for one in exam.conflicts] == [
        ("t_score", -1.5), ("bmd_g_cm2", 0.91), ("t_score", -1.3),
    ]  # fmt: skip


async def test_of_two_selections_of_vertebrae_a_person_chooses(database: Database) -> None:
    two = report(region("L1-L4", "0.9", "-1.0"), region("L2-L4", "0.95", "-0.8"))
    exam = await measured(database, {}, told(two))
    assert (exam.bmd_g_cm2, exam.t_score, exam.from_scanner) == (None, None, ())
    assert [one.bmd_g_cm2 for one in exam.measured[0].values] == [0.9, 0.95]


async def test_the_same_once_more_is_no_event_and_there_is_an_end_to_reports(
    database: Database,
) -> None:
    listeners, events = Listeners(), list[Event]()
    listeners.afterwards(Event, events.append)
    one, on = made(0), verbs(database, listeners).exams
    await keep(database, one)
    assert await on.measure(ANYONE, uuid4(), {"a": told(spine())}) is None
    for _ in range(2):
        await on.measure(ANYONE, one.id, {"a": told(spine())})
    assert [type(event) for event in events] == [ExamMeasured]
    many = {str(number): told(spine()) for number in range(MOST_REPORTS + 5)}
    exam = await on.measure(ANYONE, one.id, many)
    assert exam is not None
    assert len(exam.measured) == MOST_REPORTS


async def test_numbers_go_with_the_last_image_of_their_exam(database: Database) -> None:
    exam = await measured(database, {}, told(spine()))
    assert await verbs(database).predictions.delete(ANYONE, exam.prediction_id)
    assert await verbs(database).exams.get(ANYONE, exam.prediction_id) is None


async def test_considerations_read_the_worse_hip_and_the_exams_own_spine(
    database: Database,
) -> None:
    hips = report(
        region("Left Femoral Neck", "0.6", "-2.1", "-0.9"),
        region("Right Femoral Neck", "0.58", "-2.4", "-1.1"),
        region("Total Hip", "0.8", "-1.2"),
    )
    exam = await measured(database, {"t_score": -1.2, "sex": "female"}, told(spine()), told(hips))
    assert fields_of(exam) == {
        "sex": "female",
        "t_scores.lumbar_spine": "-1.2",
        "z_scores.lumbar_spine": "-0.4",
        "t_scores.femoral_neck": "-2.4",
        "z_scores.femoral_neck": "-1.1",
        "t_scores.total_hip": "-1.2",
    }
    whose = {one.field: one.report for one in origins(exam)}
    assert list(whose) == list(fields_of(exam))
    assert (whose["sex"], whose["t_scores.lumbar_spine"]) == (None, None)
    for field in ("t_scores.femoral_neck", "z_scores.total_hip", "z_scores.lumbar_spine"):
        if field in whose:
            assert whose[field] in exam.measured
    (conflict,) = exam.conflicts
    assert (conflict.field, conflict.kept) == ("t_score", -1.2)


async def test_a_course_of_time_is_told_by_two_machines_own_numbers(database: Database) -> None:
    earlier = await measured(database, {"acquired_on": "2024-01-02"}, told(spine("0.900")))
    later = await measured(database, {"acquired_on": "2026-01-02"}, told(spine("0.850")))
    found = compare(earlier, later, Precision())
    assert (found.verdict, found.against) == ("loss", ())
    other = await measured(
        database, {"acquired_on": "2026-01-02"}, told(spine("0.850", DeviceSerialNumber="DX-2"))
    )
    assert compare(earlier, other, Precision()).against == ("machine_differs",)
