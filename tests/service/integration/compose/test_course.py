"""A patient's course in the transaction: by the least significant change, and never a treatment."""

from __future__ import annotations

import dataclasses
import json
from datetime import date

import pytest

from service.integration.compose.course import VERDICTS, courses
from service.medicine.progression.change import compare
from service.medicine.progression.place import Place, place
from service.medicine.progression.precision import Precision
from tests.service.integration.compose.kit import CASE, course, made, part, placed
from tests.service.integration.compose.test_bundle import Json, composed, resources

CODES = ("BMD_CHANGE", "BMD_RATE", "BMD_FORECAST")


def found(*bmd: float) -> dict[str, list[Json]]:
    entries = composed(made(placed(*bmd)))
    return {code: resources(entries, "Observation", code) for code in CODES}


def components(one: Json) -> dict[str, object]:
    values: dict[str, object] = {}
    for part_ in one["component"]:
        (name,) = (key for key in part_ if key.startswith("value"))
        value = part_[name]
        if name == "valueQuantity":
            value = (value["value"], value["code"])
        elif name == "valueCodeableConcept":
            value = value["coding"][0]["code"]
        values[part_["code"]["coding"][0]["code"]] = value
    return values


def test_a_change_is_told_with_the_least_significant_change_it_is_judged_by() -> None:
    (change,) = found(0.9, 0.86)["BMD_CHANGE"]
    assert change["valueQuantity"] == {
        "value": -0.04, "unit": "g/cm2", "system": "http://unitsofmeasure.org", "code": "g/cm2"
    }  # fmt: skip
    assert components(change) == {
        "PERCENT": (-4.44, "%"), "LSC": (0.0305, "g/cm2"), "VERDICT": "LOSS",
        "EARLIER": "2025-01-30",
    }  # fmt: skip
    assert components(found(0.9, 0.89)["BMD_CHANGE"][0])["VERDICT"] == "NO_CHANGE"
    assert components(found(0.9, 0.94)["BMD_CHANGE"][0])["VERDICT"] == "GAIN"


def test_every_verdict_that_is_told_has_a_code() -> None:
    told = {"gain", "loss", "no_significant_change"}
    assert set(VERDICTS) == told
    first, second = course(0.9)[0], course(0.9, 0.8)[0]
    apart = second.model_copy(update={"vertebrae": ("L1", "L2")})
    assert compare(first, apart, Precision()).verdict not in told


def test_rate_and_forecast_are_told_of_the_newest_with_their_intervals() -> None:
    told = found(0.9, 0.88, 0.83)
    assert [components(one)["EARLIER"] for one in told["BMD_CHANGE"]] == [
        "2025-01-30", "2024-01-30",
    ]  # fmt: skip
    (rate,), (ahead,) = told["BMD_RATE"], told["BMD_FORECAST"]
    assert rate["valueQuantity"]["code"] == "g/cm2/a"
    assert rate["valueQuantity"]["value"] == pytest.approx(-0.035, abs=0.001)
    between = components(rate)
    assert between["LOW"][0] < -0.035 < between["HIGH"][0]  # type: ignore[index]
    assert between["STUDIES"] == 3
    values = components(ahead)
    assert list(values) == [
        f"BMD_{years}Y{end}" for years in (1, 2, 3, 4, 5) for end in ("", "_LOW", "_HIGH")
    ]  # fmt: skip
    assert values["BMD_5Y_LOW"][0] < values["BMD_5Y"][0] < values["BMD_5Y_HIGH"][0]  # type: ignore[index]
    assert "valueQuantity" not in ahead
    said = ahead["note"][0]["text"]
    assert "simulated patients" in said
    assert "neither a treatment nor the date of another scan" in said
    assert [tag["code"] for tag in ahead["meta"]["tag"]] == ["ai", "research"]
    assert [tag["code"] for tag in rate["meta"]["tag"]] == ["computed", "research"]


def test_two_studies_have_no_forecast_and_one_has_nothing() -> None:
    assert {code: len(one) for code, one in found(0.9, 0.86).items()} == {
        "BMD_CHANGE": 1, "BMD_RATE": 1, "BMD_FORECAST": 0
    }  # fmt: skip
    assert not any(found(0.9).values())
    assert courses([part(), dataclasses.replace(part(), place=Place())]) == ()


def test_of_an_earlier_exam_nothing_is_told_that_lies_ahead() -> None:
    newest, _ = course(0.9, 0.88, 0.83)
    before = newest.model_copy(
        update={
            "prediction_id": CASE,
            "acquired_on": date(2020, 1, 30),
            "bmd_g_cm2": 0.95,
        }
    )
    where = place([newest, before], before.prediction_id, Precision())
    assert where == Place()


def test_it_is_preliminary_one_of_the_report_s_results_and_told_once() -> None:
    one = placed(0.9, 0.88, 0.83)
    twin = dataclasses.replace(
        part(exam=one.exam, StudyInstanceUID=one.source.StudyInstanceUID), place=one.place
    )
    entries = composed(made(one, twin))
    (report,) = resources(entries, "DiagnosticReport")
    urls = {it["reference"] for it in report["result"]}
    told = [
        it for it in entries
        if it["resource"]["resourceType"] == "Observation"
        and it["resource"]["code"]["coding"][0]["code"] in CODES
    ]  # fmt: skip
    assert len(told) == 4
    for it in told:
        assert it["fullUrl"] in urls
        assert it["resource"]["status"] == "preliminary"
        assert "Research use only" in it["resource"]["note"][0]["text"]
        assert "T-score" not in json.dumps(it["resource"])
    assert "Loss since 2024-01-30" in report["text"]["div"]
    assert "Loss" not in report["conclusion"]
