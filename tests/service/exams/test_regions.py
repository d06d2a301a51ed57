"""Numbers by vertebra, hip and forearm: entered beside a scanner's, said whose, never over it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from lxml import html

from service.exams.densitometer import reading
from service.exams.measured import understood
from service.exams.measurements import Measured, Measurement
from service.exams.parts import ALLOWED
from service.exams.region_form import FIELDS
from service.exams.regions import LEAST_BMD, MOST_BMD, Regions, lowest
from service.exams.schemas import Exam, ExamError, entered, from_json
from service.medicine.densitometry import SCORE_RANGE
from service.medicine.guidance.study import fields_of
from service.storage.database import Database
from tests.service.integration.kit import image
from tests.service.kit import reports
from tests.service.kit.accounts import person
from tests.service.kit.fronts import API, Front, front
from tests.service.kit.records import ANYONE, keep, made, verbs
from tests.service.kit.reports import table, with_table
from tests.service.kit.runners import running
from tests.service.kit.shapes import assert_problem, assert_well_made

pytestmark = pytest.mark.anyio

REGIONS: dict[str, Any] = {
    "L1": {"bmd_g_cm2": 0.812, "t_score": -2.1, "z_score": -0.7},
    "total_hip": {"side": "left", "t_score": -1.6},
    "one_third_radius": {"z_score": 0.0},
}


def told(*content: Any) -> Measured:
    found = understood(reading.of_report(reports.file(reports.report(*content))))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("regions", "field"),
    [
        ({"L1": {"t_score": -6.1}}, "regions.L1.t_score"),
        ({"L4": {"z_score": 6.1}}, "regions.L4.z_score"),
        ({"L2": {"t_score": -2.55}}, "regions.L2.t_score"),
        ({"femoral_neck": {"bmd_g_cm2": 0.099}}, "regions.femoral_neck.bmd_g_cm2"),
        ({"femoral_neck": {"bmd_g_cm2": 3.001}}, "regions.femoral_neck.bmd_g_cm2"),
        ({"total_hip": {"bmd_g_cm2": 0.8123}}, "regions.total_hip.bmd_g_cm2"),
        ({"total_hip": {"bmd_g_cm2": "SECRET"}}, "regions.total_hip.bmd_g_cm2"),
        ({"total_hip": {"side": "SECRET", "t_score": 0}}, "regions.total_hip.side"),
        ({"total_hip": {"side": "left"}}, "regions.total_hip"),
        ({"L1": {"side": "left", "t_score": 0}}, "regions.L1"),
        ({"L1": {}}, "regions.L1"),
        ({"SECRET": {"t_score": 0}}, "regions"),
        ({}, "regions"),
        ([], "regions"),
    ],
    ids=str,
)
def test_what_is_not_taken_names_field_and_range(regions: Any, field: str) -> None:
    with pytest.raises(ExamError) as caught:
        from_json({"regions": regions})
    (fault,) = caught.value.faults
    assert (fault.field, fault.values["allowed"]) == (field, ALLOWED[field])
    assert "SECRET" not in str(caught.value)


def test_limits_are_those_that_messages_name() -> None:
    for score in SCORE_RANGE:
        assert from_json({"regions": {"L1": {"t_score": score, "z_score": score}}}).regions
        assert str(score) in ALLOWED["regions.L1.t_score"]
    for bmd in (LEAST_BMD, MOST_BMD):
        assert from_json({"regions": {"femoral_neck": {"bmd_g_cm2": bmd}}}).regions
        assert str(bmd) in ALLOWED["regions.femoral_neck.bmd_g_cm2"]
    assert {f"regions.{region}.{part}" for region, part in FIELDS.values()} < set(ALLOWED)


def measurement(region: Any, side: Any, score: float) -> Measured:
    value = Measurement(region=region, side=side, t_score=score)
    return Measured(source="Enhanced SR", values=(value,))


@pytest.mark.parametrize(
    ("side", "expected"),
    # The scanner's hips are −2.4 on the left and −2.0 on the right.
    [("left", -2.0), ("right", -2.4), (None, -1.0)],
    ids=str,
)
def test_an_entered_score_is_read_in_place_of_the_same_sides(
    side: str | None, expected: float
) -> None:
    told = [measurement("total_hip", "left", -2.4), measurement("total_hip", "right", -2.0)]
    regions = Regions.model_validate({"total_hip": {"side": side, "t_score": -1.0}})
    assert lowest(told, None, "total_hip", "t_score") == -2.4
    assert lowest(told, regions, "total_hip", "t_score") == expected
    assert lowest(told, regions, "total_hip", "z_score") is None
    assert lowest(told, regions, "femoral_neck", "t_score") is None
    assert lowest([], regions, "total_hip", "t_score") == -1.0


def test_a_score_of_nought_and_no_fracture_are_something_said() -> None:
    """What is sent with an image is kept also where it is zero or no."""
    typed = from_json({"t_score": 0.0, "fracture": False})
    nothing = from_json({})
    assert entered(nothing, typed, nothing) == typed


async def change(database: Database, exam: Exam, who: str, **facts: Any) -> Exam:
    actor = replace(ANYONE, name=who)
    changed = await verbs(database).exams.change(actor, exam.prediction_id, from_json(facts))
    assert changed is not None
    assert changed == await verbs(database).exams.get(ANYONE, exam.prediction_id)
    return changed


async def test_a_correction_leaves_the_scanners_number_beside_it(database: Database) -> None:
    one, on = made(0), verbs(database).exams
    await keep(database, one)
    neck = reports.region("Left Femoral Neck", "0.6", "-2.1", "-0.9")
    exam = await on.measure(ANYONE, one.id, {"a": told(neck)})
    assert exam is not None
    assert fields_of(exam)["t_scores.femoral_neck"] == "-2.1"

    corrected = {"femoral_neck": {"side": "left", "t_score": -2.6, "bmd_g_cm2": 0.6}}
    exam = await change(database, exam, "Ann", regions=corrected)
    (report,) = exam.measured
    assert (report.values[0].t_score, report.values[0].bmd_g_cm2) == (-2.1, 0.6)
    assert [one.model_dump() for one in exam.conflicts] == [
        {"field": "regions.femoral_neck.t_score", "kept": -2.6, "measured": -2.1}
    ]
    assert fields_of(exam) == {"t_scores.femoral_neck": "-2.6", "z_scores.femoral_neck": "-0.9"}
    # A later report takes nothing of it away, and left out it is the scanner's that counts again.
    again = await on.measure(ANYONE, one.id, {"b": told(neck)})
    assert again is not None
    assert (again.regions, again.entered_by) == (exam.regions, exam.entered_by)
    exam = await change(database, exam, "Ann")
    assert fields_of(exam)["t_scores.femoral_neck"] == "-2.1"


async def test_whose_a_number_is_stays_with_it(database: Database) -> None:
    one, on = made(0), verbs(database).exams
    await keep(database, one)
    exam = await on.measure(ANYONE, one.id, {"a": understood_spine()})
    assert exam is not None
    assert (exam.from_scanner[0], exam.entered_by) == ("bmd_g_cm2", ())
    spine = {"bmd_g_cm2": 0.873, "vertebrae": ["L1", "L2", "L3", "L4"]}

    exam = await change(database, exam, "Ann", **spine, t_score=-1.2, regions=REGIONS)
    assert {(it.field, it.value, it.by) for it in exam.entered_by} == {
        ("t_score", -1.2, "Ann"),
        ("regions.L1.bmd_g_cm2", 0.812, "Ann"),
        ("regions.L1.t_score", -2.1, "Ann"),
        ("regions.L1.z_score", -0.7, "Ann"),
        ("regions.total_hip.t_score", -1.6, "Ann"),
        ("regions.one_third_radius.z_score", 0.0, "Ann"),
    }
    assert {(it.field, it.measured) for it in exam.conflicts} == {
        ("t_score", -1.8), ("regions.L1.bmd_g_cm2", 0.87),
    }  # fmt: skip
    more = {"L1": {**REGIONS["L1"], "t_score": -2.2}}
    exam = await change(database, exam, "Bo", **spine, t_score=-1.2, z_score=-0.1, regions=more)
    assert {it.field: it.by for it in exam.entered_by} == {
        "t_score": "Ann",
        "z_score": "Bo",
        "regions.L1.bmd_g_cm2": "Ann",
        "regions.L1.t_score": "Bo",
        "regions.L1.z_score": "Ann",
    }
    assert ("z_score", -0.4) in {(it.field, it.measured) for it in exam.conflicts}
    assert fields_of(exam)["z_scores.lumbar_spine"] == "-0.1"
    exam = await change(database, exam, "")
    assert exam.entered_by == ()
    exam = await change(database, exam, "", t_score=1.0)
    assert [(it.field, it.by) for it in exam.entered_by] == [("t_score", None)]


def understood_spine() -> Measured:
    found = understood(reading.of_report(reports.file(reports.spine())))
    assert found is not None
    return found


@pytest.fixture(scope="module")
def hologic() -> bytes:
    return reports.file(with_table(image(), table()))


async def test_the_page_says_who_entered_and_what_the_scanner_says(
    tmp_path: Any, hologic: bytes
) -> None:
    async with (
        running() as runners,
        front(tmp_path, runners, auth="local") as opened,
        person(opened, "ann", "clinician") as ann,
    ):
        answer = await ann.client.post(
            "/",
            files={"file": ("a.dcm", hologic, "application/dicom")},
            data={"regions_L1_t_score": "−1,5", "regions_total_hip_t_score": "7"},
        )
        assert answer.status_code == 422
        page = html.fromstring(answer.text)
        assert_well_made(page)
        (wrong,) = page.xpath("//input[@aria-invalid='true']")
        assert wrong.get("name") == "regions_total_hip_t_score"
        said = page.get_element_by_id(wrong.get("aria-describedby").split()[0]).text_content()
        assert "-6.0 to 6.0" in said
        assert [one.get("open") is not None for one in wrong.iterancestors("details")] == [
            True, True,
        ]  # fmt: skip
        sent = await ann.client.post(
            "/",
            files={"file": ("a.dcm", hologic, "application/dicom")},
            data={
                "regions_L1_t_score": "−1,5",
                "regions_total_hip_t_score": "-1.6",
                "regions_total_hip_side": "left",
            },
        )
        assert sent.status_code == 303, sent.text
        address = sent.headers["location"]
        page = html.fromstring((await ann.client.get(address)).text)
        assert_well_made(page)
        (section,) = page.xpath("//section[h2[@id='study']]")
        scanners, entered = section.xpath(".//table")
        assert words(scanners)[0] == ["L1", "0.800", "−2.0", "−0.5"]
        rows = words(entered)
        assert [row[:4] for row in rows] == [
            ["L1", "–", "−1.5", "–"], ["Total hip, left", "–", "−1.6", "–"],
        ]  # fmt: skip
        assert all(row[4].startswith("Ann, ") for row in rows)
        warning = " ".join(section.xpath(".//*[contains(@class, 'warn')]//li//text()"))
        assert warning == "L1, T-score: kept is −1.5, the scanner says −2.0."
        german = await ann.client.get(address, headers={"Accept-Language": "de"})
        assert "Von Hand eingegeben" in german.text

        form = html.fromstring((await ann.client.get(f"{address}/study")).text)
        assert_well_made(form)
        hint = form.get_element_by_id("regions_L1-hint").text_content()
        assert hint == "The scanner says: L1: BMD 0.800, T-score −2.0, Z-score −0.5."
        # Sent as it stands nothing is another's, and nothing of the scanner's is taken as entered.
        before = (await ann.client.get(f"{API}{address[8:]}/study")).json()
        fields = dict(form.xpath("//main//form")[0].form_values())
        kept = await ann.client.post(f"{address}/study", data=fields)
        assert kept.status_code == 303
        assert (await ann.client.get(f"{API}{address[8:]}/study")).json() == before
        again = await ann.client.post(f"{address}/study", data={**fields, "t_score": "seven"})
        assert "The scanner says: L1: BMD 0.800" in again.text


def words(table: html.HtmlElement) -> list[list[str]]:
    return [
        [" ".join(cell.text_content().split()) for cell in row.xpath("th | td")]
        for row in table.xpath(".//tbody/tr")
    ]


async def test_what_is_put_is_got_and_somebody_elses_is_shown_beside(
    shared: Front, png: bytes
) -> None:
    id = (await shared.post(png + uuid4().bytes)).json()["id"]
    address = f"{API}/{id}/study"
    put = await shared.client.put(address, json={"regions": REGIONS, "z_score": -0.4})
    assert put.status_code == 200, put.text
    assert (await shared.client.get(address)).json() == put.json()
    assert put.json()["regions"]["L1"] == REGIONS["L1"]
    wrong = await shared.client.put(address, json={"regions": {"L3": {"bmd_g_cm2": 8.73}}})
    body = assert_problem(wrong, "invalid_study")
    assert set(body["faults"]) == {"regions.L3.bmd_g_cm2"}

    mine = {"version": "another", "regions_L1_t_score": "-2.0"}
    refused = await shared.client.post(f"/results/{id}/study", data=mine)
    assert refused.status_code == 412
    page = html.fromstring(refused.text)
    rows = {row[0]: row[1:] for row in words(page.xpath("//section[@role='alert']//table")[0])}
    assert rows["L1, T-score"] == ["−2.1", "−2.0"]
    assert rows["Total hip, Side"] == ["left", "nothing"]
