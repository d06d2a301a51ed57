"""ORU^R01: held against hl7apy's tables of HL7 2.5.1, and against what was said of the images."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.core import Message
from hl7apy.parser import parse_message

from service.exams.parts import Scanner
from service.integration.compose import oru
from service.integration.compose.source import Made
from service.integration.orders import Order
from tests.service.integration.compose.kit import (
    ENTERED,
    REFUSED,
    exam,
    made,
    part,
    placed,
    prediction,
    sheet,
    told,
)
from tests.service.integration.compose.messages import (
    destination,
    message,
    rows,
    segments,
    under,
    values,
)

LONG = Scanner(vendor="V|^&~" * 6, serial="\\S" * 16)
HOSTILE = "O'Hara&Sons^Jürgen|PID|1~x^\\F\\^Dr^II"


def parsed(data: bytes) -> Message:
    """Return the message as another's parser reads it, strictly by the standard's tables.

    It takes every OBX-5 for an ST, which is shorter than TX and ED may be: those are cut.
    """
    lines = [line.split("|") for line in data.decode().split("\r")]
    for line in lines:
        if line[0] == "OBX" and line[2] in ("TX", "ED"):
            line[5] = line[5][:100]
    text = "\r".join("|".join(line) for line in lines)
    found = parse_message(text, validation_level=VALIDATION_LEVEL.STRICT)
    assert found.validate()
    return found


@pytest.mark.parametrize(
    "study",
    [
        made(),
        made(part(), part(prediction(**REFUSED))),
        made(part(PatientName=HOSTILE, PatientID="4^7|1&1", AccessionNumber="")),
        made(part(ReferringPhysicianName="Who^Doctor^^Dr", IssuerOfPatientID="HOSP")),
        made(sheets=(b"%PDF-1.4 a sheet",)),
        made(part(exam=exam(told()))),
        made(part(exam=exam(told(source="A|B^C", scanner=LONG, acquired_on=None)))),
        made(part(exam=exam(modalities=ENTERED))),
        made(placed(0.9, 0.88, 0.83)),
    ],
    ids=[
        "one",
        "refused",
        "hostile",
        "doctor",
        "sheet",
        "measured",
        "hostile scanner",
        "entered",
        "course",
    ],
)
def test_a_parser_of_2_5_1_finds_no_fault(study: Made) -> None:
    found = parsed(message(study, pdf=True, application="RIS & Co"))
    assert found.name == "ORU_R01"
    assert found.msh.msh_12.value == "2.5.1"


def test_a_result_has_the_numbers_of_the_order_that_it_answers() -> None:
    order = Order(accession="A1", placer=("P-17", "RIS & Co"), filler=("F-18", "RIS"))
    data = message(made(order=order))
    assert parsed(data)
    for name in ("ORC", "OBR"):
        (one,) = segments(data, name)
        assert one[2:4] == ["P-17^RIS \\T\\ Co", "F-18^RIS"]


def test_case_40_every_result_is_preliminary_and_says_so() -> None:
    data = message(made(part(), part(prediction(**REFUSED))))
    (order,) = segments(data, "OBR")
    assert (order[24], order[25]) == ("RAD", "P")
    study, *said = rows(data)
    assert (study[3], study[11]) == ("113014^DICOM Study^DCM", "O")
    assert {one[11] for one in said} == {"P"}
    assert all("Research use only. Preliminary" in one for one in values(data, "59776-5"))


def test_what_was_said_of_each_image_stands_under_its_number() -> None:
    data = message(made(part(), part(prediction(probability=0.1234))))
    assert values(data, "PROBABILITY") == ["0.8300", "0.1234"]
    assert [one[4] for one in rows(data) if one[3].startswith("PROBABILITY")] == ["1", "2"]
    assert [int(one[1]) for one in rows(data)] == list(range(1, len(rows(data)) + 1))


def test_the_curve_has_its_interval_in_degrees_and_is_no_cobb_angle() -> None:
    data = message()
    found = {
        one[3].split("^")[0]: (one[2], one[5], one[6])
        for one in rows(data)
        if one[3].startswith("DXA_ANGLE")
    }
    assert found == {
        "DXA_ANGLE": ("NM", "0.2", "deg^degree^UCUM"),
        "DXA_ANGLE_LOW": ("NM", "0.0", "deg^degree^UCUM"),
        "DXA_ANGLE_HIGH": ("NM", "2.9", "deg^degree^UCUM"),
    }
    assert "cobb" not in data.decode().casefold()
    refused = message(made(part(prediction(**REFUSED))))
    assert "DXA_ANGLE" not in refused.decode()


def test_a_refusal_is_not_analysed_without_a_probability() -> None:
    data = message(made(part(prediction(**REFUSED))))
    assert values(data, "OUTCOME") == ["NOT_ANALYSED^Not analysed^99OSTEOSERVE"]
    assert values(data, "REASON") == ["NOT_SPINE_DXA^Not spine dxa^99OSTEOSERVE"]
    assert values(data, "PROBABILITY") == []
    assert "%" not in values(data, "59776-5")[0]


def test_a_patient_is_who_the_image_says() -> None:
    study = made(part(PatientName=HOSTILE, PatientID="4^7|1&1", PatientBirthDate="19500102"))
    data = message(study, authority="HOSP")
    (patient,) = segments(data, "PID")
    assert patient[3] == r"4\S\7\F\1\T\1^^^HOSP^MR"
    assert patient[5] == r"O'Hara\T\Sons^Jürgen\F\PID\F\1\R\x^\E\F\E\^II^Dr"
    assert patient[7] == "19500102"


def test_case_37_the_same_delivery_has_the_same_control_id() -> None:
    first, again = made(), made()
    ids = {oru.control_id(one, "engine") for one in (first, again)}
    assert len(ids) == 1
    assert oru.control_id(first, "another") not in ids
    assert all(len(one) == 20 and one.isalnum() for one in ids)


def test_without_an_order_a_study_has_a_number_of_ours_which_stays() -> None:
    one = part(AccessionNumber="")

    def number(*parts: Any) -> str:
        (order,) = segments(message(made(*parts)), "OBR")
        return order[3]

    assert number(one) == number(one, one)
    assert number(one).endswith("^OSTEOSERVE")
    assert number(part(AccessionNumber="A7")) == "A7"


@pytest.mark.parametrize(
    ("tags", "options", "said"),
    [
        ({"PatientID": ""}, {}, "no_patient_id"),
        ({"AccessionNumber": ""}, {"order": "required"}, "no_order"),
        ({"AccessionNumber": ""}, {}, None),
    ],
)
def test_what_an_engine_could_file_nowhere_is_not_sent(
    tags: dict[str, str], options: dict[str, str], said: str | None
) -> None:
    assert oru.refusal(destination(**options), made(part(**tags))) == said


def test_a_sheet_goes_along_where_it_is_asked_for() -> None:
    study = made(sheets=(sheet(),))
    (value,) = values(message(study, pdf=True), "PDF")
    *head, encoded = value.split("^")
    assert head == ["OSTEOSERVE", "Application", "PDF", "Base64"]
    assert base64.b64decode(encoded) == sheet()
    assert values(message(study), "PDF") == []


def test_numbers_of_a_scanner_have_its_name_and_a_sub_id_of_their_region() -> None:
    data = message(made(part(), part(exam=exam(told(), t_score=-1.1))))
    theirs = [one for one in rows(data) if one[4].startswith("S")]
    assert [int(one[1]) for one in rows(data)] == list(range(1, len(rows(data)) + 1))
    assert {(one[11], one[14], one[18]) for one in theirs} == {
        ("P", "20260130", "Hologic \\T\\ Co DX-0417")
    }
    assert all(one[17] == "DXA^As the scanner says^99OSTEOSERVE" for one in theirs)
    spine = [(one[2], one[3].split("^")[0], one[5], one[6]) for one in theirs if one[4] == "S2"]
    *coded, words = spine
    assert coded == [
        ("CE", "SITE", "122496007^Lumbar spine (L1, L2, L4)^SCT", ""),
        ("CE", "VERTEBRA", "66794005^L1^SCT", ""),
        ("CE", "VERTEBRA", "14293000^L2^SCT", ""),
        ("CE", "VERTEBRA", "11994002^L4^SCT", ""),
        ("NM", "24966-4", "0.873", "g/cm2^g/cm2^UCUM"),
        ("NM", "38267-1", "-1.8", "1^no units^UCUM"),
        ("NM", "85394-5", "-0.4", "1^no units^UCUM"),
    ]
    assert words[:2] == ("TX", "SCANNER")
    assert "Research use only. Kept of the exam is another T-score: -1.1." in words[2]
    (loinc,) = [one[3] for one in theirs if one[3].startswith("24966-4")]
    assert loinc.split("^")[2:] == [
        "LN", "LS_BMD", "Lumbar spine (L1, L2, L4), BMD by the scanner", "99OSTEOSERVE",
    ]  # fmt: skip
    hips = [(one[3].split("^")[0], one[5]) for one in theirs if one[4] in ("S3", "S4")]
    assert ("272741003", "7771000^Left^SCT") in hips
    assert ("FN_LEFT_BMD", "0.631") in hips
    radius = next(one for one in theirs if one[4] == "S5")
    assert radius[5] == "R33^One-third radius^99OSTEOSERVE"


def test_numbers_of_a_scanner_stay_preliminary_when_a_result_is_signed() -> None:
    review = {
        "number": 1, "created_at": "2026-02-04T08:30:00Z", "action": "sign",
        "outcome": "osteoporosis", "reviewer": "B. Reader", "reason": None,
    }  # fmt: skip
    data = message(made(part(prediction(review=review), exam(told()))))
    standing = {(one[4].startswith("S"), one[11]) for one in rows(data)[1:]}
    assert standing == {(False, "F"), (True, "P")}


def test_a_refused_image_has_its_scanners_numbers_and_none_of_ours() -> None:
    study = made(part(prediction(**REFUSED), exam(told(scanner=None, acquired_on=None))))
    data = message(study)
    assert values(data, "PROBABILITY") == []
    assert values(data, "38267-1") == ["-1.8"]
    (number,) = [one for one in rows(data) if one[3].startswith("38267-1")]
    assert (number[14], number[18]) == (oru.study_time(study.source), "")
    assert "scanner of unknown make" in values(data, "SCANNER")[0]


def test_ct_and_ultrasound_have_a_sub_id_each_and_say_who_entered_them() -> None:
    data = message(made(part(exam=exam(modalities=ENTERED))))
    *ct, words = under(data, "M1")
    assert ct == [
        ("CE", "363698007", "66794005^L1^SCT", ""),
        ("NM", "112031", "96.4", "[hnsf'U]^[hnsf'U]^UCUM"),
        ("NM", "CT_SD", "21.5", "[hnsf'U]^[hnsf'U]^UCUM"),
        ("NM", "CT_KV", "120.0", "kV^kV^UCUM"),
        ("CE", "CT_CONTRAST", "UNKNOWN^Not stated^99OSTEOSERVE", ""),
        ("CE", "ORIGIN", "READ^Read from CT in a region that a person placed^99OSTEOSERVE", ""),
    ]
    assert words[:2] == ("TX", "ENTERED")
    assert "Entered by Reader <B> on 2026-01-31, measured by Siemens \\T\\ Co Force" in words[2]
    heel = under(data, "M2")
    assert ("CE", "272741003", "7771000^Left^SCT", "") in heel
    assert [one[1:3] for one in heel if one[0] == "NM"] == [
        ("US_SOS", "1531.2"), ("US_BUA", "108.4"), ("US_SI", "81.4"),
    ]  # fmt: skip
    assert ("CE", "ORIGIN", "ENTERED^Entered by a person^99OSTEOSERVE", "") in heel
    theirs = [one for one in rows(data) if one[4].startswith("M")]
    assert {(one[11], one[14], one[18]) for one in theirs} == {
        ("P", "20260112", "Siemens \\T\\ Co Force"), ("P", "20260120", "GE Lunar Achilles A-7"),
    }  # fmt: skip
    assert [one[3] for one in theirs if one[3].startswith("112031")] == [
        "112031^Attenuation Coefficient^DCM"
    ]
    heel_alone = ENTERED.model_copy(update={"ct": None, "ct_entry": None})
    alone = message(made(part(exam=exam(modalities=heel_alone))))
    assert under(alone, "M1") == heel
    assert under(alone, "M2") == []


def test_a_course_has_a_sub_id_for_each_thing_that_is_said() -> None:
    data = message(made(placed(0.9, 0.88, 0.83)))
    change, _, rate, ahead = (under(data, f"C{number}") for number in (1, 2, 3, 4))
    assert change[:-1] == [
        ("NM", "BMD_CHANGE", "-0.05", "g/cm2^g/cm2^UCUM"),
        ("NM", "PERCENT", "-5.68", "%^%^UCUM"),
        ("NM", "LSC", "0.0305", "g/cm2^g/cm2^UCUM"),
        ("CE", "VERDICT", "LOSS^Loss^99OSTEOSERVE", ""),
        ("DT", "EARLIER", "20250130", ""),
        ("CE", "ORIGIN", "COMPUTED^Computed of what scanners measured^99OSTEOSERVE", ""),
    ]
    assert change[-1][2].startswith("Loss since 2025-01-30")
    assert ("NM", "STUDIES", "3", "1^no units^UCUM") in rate
    assert len([one for one in ahead if one[0] == "NM"]) == 15
    assert ("CE", "ORIGIN", "MODEL^Said by a model^99OSTEOSERVE", "") in ahead
    assert {one[11] for one in rows(data) if one[4].startswith("C")} == {"P"}
    assert under(message(made(placed(0.9))), "C1") == []
