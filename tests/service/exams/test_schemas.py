"""What is entered about a study is taken strictly; what is wrong is said without repeating it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from service.exams import schemas as exam
from service.exams.form import ExamForm, fields_of, parse
from service.exams.parts import ALLOWED
from service.exams.schemas import Exam, ExamError, ExamFacts, from_json
from service.medicine.densitometry import SCORE_RANGE
from service.medicine.drugs import EVERY

FULL: dict[str, Any] = {
    "patient_reference": "site-2/0042",
    "patient_issuer": "North Clinic",
    "acquired_on": "2024-05-17",
    "scanner": {"vendor": "GE Lunar", "serial": "PA+41"},
    "bmd_g_cm2": 0.873,
    "vertebrae": ["L1", "L2", "L4"],
    "t_score": -2.5,
    "z_score": 0.0,
    "regions": {
        "L1": {"bmd_g_cm2": 0.812, "t_score": -2.1, "z_score": -0.7},
        "L2": None,
        "L3": None,
        "L4": {"bmd_g_cm2": None, "t_score": 0.0, "z_score": None},
        "total_hip": {"bmd_g_cm2": None, "t_score": -1.6, "z_score": None, "side": "left"},
        "femoral_neck": None,
        "one_third_radius": {"bmd_g_cm2": 0.5, "t_score": None, "z_score": None, "side": None},
    },
    "sex": "female",
    "age_years": 71,
    "weight_kg": 64.5,
    "drug": "zoledronate",
    "drug_since": "2023-02-01",
    "fracture": True,
}


def faults(fields: dict[str, Any]) -> dict[str, tuple[str, str]]:
    with pytest.raises(ExamError) as caught:
        from_json(fields)
    for never in ("SECRET", "99.75"):
        assert never not in str(caught.value)
    return {
        fault.field: (fault.values["came"], fault.values["allowed"])
        for fault in caught.value.faults
    }


def test_all_that_can_be_said() -> None:
    facts = from_json(FULL)
    assert facts.model_dump(mode="json") == FULL
    assert not facts.empty


def test_nothing_need_be_said() -> None:
    assert from_json({}).empty
    assert from_json(dict.fromkeys(FULL)).empty


@pytest.mark.parametrize(
    ("fields", "field", "came"),
    [
        ({"drug_since": "2023-02-01"}, "drug_since", "a date alone"),
        ({"drug": "none", "drug_since": "2023-02-01"}, "drug_since", "a date alone"),
        (
            {"drug": "denosumab", "drug_since": "2024-05-18", "acquired_on": "2024-05-17"},
            "drug_since",
            "a date after the scan",
        ),
        ({"weight_kg": 24.9}, "weight_kg", "a number"),
        ({"weight_kg": 70.25}, "weight_kg", "a number"),
        ({"fracture": "yes"}, "fracture", "text"),
        ({"drug": "SECRET"}, "drug", "text"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_taken_against_osteoporosis(fields: dict[str, Any], field: str, came: str) -> None:
    assert faults(fields) == {field: (came, ALLOWED[field])}


def test_a_drug_that_cannot_be_taken_is_answered_with_those_that_can() -> None:
    assert [name for name in EVERY if name not in ALLOWED["drug"]] == []


@pytest.mark.parametrize("fracture", [True, False, None])
def test_a_fracture_comes_back_from_the_form(fracture: bool | None) -> None:
    facts = from_json({"fracture": fracture, "drug": "none", "weight_kg": 70})
    assert parse(fields_of(facts)) == facts


@pytest.mark.parametrize("bmd", [0.422, 1.901, 1])
def test_bmd_up_to_the_ends_of_the_range(bmd: float) -> None:
    assert from_json({"bmd_g_cm2": bmd}).bmd_g_cm2 == bmd


@pytest.mark.parametrize(
    ("field", "value", "came"),
    [
        ("bmd_g_cm2", 0.421, "a number"),
        ("bmd_g_cm2", 1.902, "a number"),
        ("bmd_g_cm2", 99.75, "a number"),
        ("bmd_g_cm2", 0.8734, "a number"),
        ("bmd_g_cm2", "0.873", "text"),
        ("bmd_g_cm2", True, "true or false"),
        ("bmd_g_cm2", [0.8], "a list"),
        ("t_score", -2.55, "a number"),
        ("t_score", 6.1, "a number"),
        ("t_score", -6.1, "a number"),
        ("t_score", {"SECRET": 1}, "an object"),
        ("age_years", 17, "a number"),
        ("age_years", 121, "a number"),
        ("age_years", 60.5, "a number"),
        ("age_years", "SECRET", "text"),
        ("sex", "SECRET", "text"),
        ("sex", 1, "a number"),
        ("acquired_on", "1986-12-31", "text"),
        ("acquired_on", "2024-02-30", "text"),
        ("acquired_on", "SECRET", "text"),
        ("acquired_on", "2024-02-03T10:00:00", "text"),
        ("acquired_on", 20240203, "a number"),
        ("acquired_on", str(datetime.now(UTC).date() + timedelta(days=2)), "text"),
        ("vertebrae", [], "a list"),
        ("vertebrae", ["L1", "L1"], "a list"),
        ("vertebrae", ["L1", "SECRET"], "text"),
        ("vertebrae", "L1", "text"),
        ("patient_reference", "", "text"),
        ("patient_reference", "   ", "text"),
        ("patient_reference", "x" * 65, "text"),
        ("patient_reference", "SECRET\n", "text"),
        ("patient_reference", "SECRET\u202e", "text"),
        ("patient_reference", 42, "a number"),
        ("scanner", "SECRET", "text"),
    ],
)
def test_what_is_not_taken_names_field_kind_and_range(field: str, value: Any, came: str) -> None:
    assert faults({field: value}) == {field: (came, ALLOWED[field])}


def test_parts_of_the_scanner_are_named() -> None:
    assert faults({"scanner": {"vendor": "x" * 33}}) == {
        "scanner.vendor": ("text", ALLOWED["scanner.vendor"]),
        "scanner.serial": ("nothing", ALLOWED["scanner.serial"]),
    }


def test_every_fault_is_told_at_once_and_unknown_names_are_not_repeated() -> None:
    found = faults({"bmd_g_cm2": 99.75, "sex": "SECRET", "SECRET": 1})
    assert set(found) == {"bmd_g_cm2", "sex", "unknown field"}


def test_every_field_says_what_it_takes() -> None:
    assert {name.partition(".")[0] for name in ALLOWED} == set(ExamFacts.model_fields)
    low, high = exam.BMD_RANGE
    assert f"{low} to {high}" in ALLOWED["bmd_g_cm2"]
    assert f"{exam.AGE_RANGE[0]} to {exam.AGE_RANGE[1]}" in ALLOWED["age_years"]
    assert f"{SCORE_RANGE[0]} to {SCORE_RANGE[1]}" in ALLOWED["t_score"]
    assert str(exam.EARLIEST) in ALLOWED["acquired_on"]


def test_texts_and_vertebrae_have_one_form() -> None:
    facts = from_json({"patient_reference": " a  b ", "vertebrae": ["L4", "L2"]})
    assert facts.patient_reference == "a b"
    assert facts.vertebrae == ("L2", "L4")
    composed, decomposed = "Ze\u0301", "Z\u00e9"
    references = {
        from_json({"patient_reference": t}).patient_reference for t in (composed, decomposed)
    }
    assert len(references) == 1


def test_a_form_says_the_same() -> None:
    fields = {
        "patient_reference": "site-2/0042",
        "patient_issuer": "North Clinic",
        "acquired_on": "2024-05-17",
        "scanner_vendor": "GE Lunar",
        "scanner_serial": "PA+41",
        "bmd_g_cm2": "0,873",
        "vertebra_L4": "on",
        "vertebra_L1": "on",
        "vertebra_L2": "on",
        "t_score": "−2.5",
        "z_score": "0,0",
        "regions_L1_bmd_g_cm2": "0,812",
        "regions_L1_t_score": "-2.1",
        "regions_L1_z_score": "−0,7",
        "regions_L4_t_score": "0",
        "regions_total_hip_t_score": "-1.6",
        "regions_total_hip_side": "left",
        "regions_one_third_radius_bmd_g_cm2": ".5",
        "sex": "female",
        "age_years": " 71 ",
        "weight_kg": "64,5",
        "drug": "zoledronate",
        "drug_since": "2023-02-01",
        "fracture": "yes",
    }
    assert parse(fields) == from_json(FULL)


@pytest.mark.parametrize("number", ["SECRET", "nan", "inf", "1e999", "0x1", "9" * 5000, "1,2,3"])
def test_what_is_no_number_in_a_form(number: str) -> None:
    with pytest.raises(ExamError, match=r"^Not valid: bmd_g_cm2: "):
        parse({"bmd_g_cm2": number})


def test_the_form_holds_what_is_kept() -> None:
    kept = Exam.model_validate({**FULL, "prediction_id": uuid4()})
    form = ExamForm.of(kept)
    fields = {field.name: field.value for field in form.fields if field.value}
    for group in (form.vertebrae, *form.regions):
        fields |= {one.name: one.value for one in group.fields if one.value}
    assert parse(fields) == from_json(FULL)
