"""CT, ultrasound and a patient's course in the structured report: groups of their own."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pydicom
import pytest
from highdicom.sr import MeasurementReport, srread
from pydicom.dataset import Dataset

from service.integration.compose import report
from service.integration.compose.course import courses
from service.integration.compose.entered import entered
from service.integration.compose.source import Judged
from service.medicine.modalities.entered import Entered
from tests.service.integration import counterparts
from tests.service.integration.compose.kit import ENTERED, exam, made, part, placed, prediction
from tests.service.integration.kit import file

HEEL = ENTERED.model_copy(update={"ct": None, "ct_entry": None})
REVIEW = {
    "number": 1, "created_at": "2026-02-04T08:30:00Z", "action": "sign",
    "outcome": "osteoporosis", "reviewer": "B. Reader", "reason": None,
}  # fmt: skip


def composed(*parts: Judged, revision: int = 0, **changes: Any) -> Dataset:
    origin = dataclasses.replace(made(*parts).origin, revision=revision)
    return report.compose(parts, origin, changes.get("predecessor"))


def known(kept: Entered, **changes: Any) -> Judged:
    return part(prediction(**changes), exam(modalities=kept))


def name(item: Dataset) -> str:
    return str(item.ConceptNameCodeSequence[0].CodeValue)


def value(item: Dataset) -> Any:
    match item.ValueType:
        case "NUM":
            (measured,) = item.MeasuredValueSequence
            unit = measured.MeasurementUnitsCodeSequence[0]
            assert unit.CodingSchemeDesignator == "UCUM"
            return float(measured.NumericValue), unit.CodeValue
        case "CODE":
            return str(item.ConceptCodeSequence[0].CodeValue)
        case "DATE":
            return str(item.Date)
        case "PNAME":
            return str(item.PersonName)
        case kind:
            return str(item.TextValue) if kind == "TEXT" else kind


def groups(made: Dataset) -> list[dict[str, Any]]:
    """Return the values of each group by the codes of their names, those of images left out."""
    (container,) = (one for one in made.ContentSequence if name(one) == "126010")
    found = [
        {name(item): value(item) for item in group.ContentSequence}
        for group in container.ContentSequence
    ]
    return [one for one in found if "ORIGIN" in one]


def of(made: Dataset, key: str) -> dict[str, Any]:
    (found,) = (one for one in groups(made) if key in one)
    return found


def test_ct_is_a_group_of_l1_by_dicom_s_code_and_who_placed_its_region() -> None:
    found = of(composed(known(ENTERED)), "112031")
    assert found["112031"] == (96.4, "[hnsf'U]")
    assert (found["CT_SD"], found["CT_KV"]) == ((21.5, "[hnsf'U]"), (120.0, "kV"))
    assert (found["CT_CONTRAST"], found["ORIGIN"], found["USE"]) == ("UNKNOWN", "READ", "RESEARCH")
    assert (found["363698007"], found["111060"]) == ("66794005", "20260112")
    assert (found["121005"], found["121008"]) == ("121006", "Reader <B>")
    assert found["121106"].startswith("Entered by Reader <B> on 2026-01-31, measured by Siemens")
    assert "Research use only" in found["121106"]


def test_ultrasound_is_a_group_of_the_heel_as_entered_by_nobody_who_is_named() -> None:
    found = of(composed(known(ENTERED)), "US_SOS")
    numbers = {code: it for code, it in found.items() if isinstance(it, tuple)}
    assert numbers == {
        "US_SOS": (1531.2, "m/s"), "US_BUA": (108.4, "dB/MHz"), "US_SI": (81.4, "1"),
    }  # fmt: skip
    assert (found["363698007"], found["ORIGIN"]) == ("80144004", "ENTERED")
    # DICOM knows no person without a name.
    assert not {"121005", "121008"} & found.keys()
    assert "no class of the WHO's" in found["121106"]


def test_what_is_missing_is_in_no_group() -> None:
    assert [one["ORIGIN"] for one in groups(composed(known(HEEL)))] == ["ENTERED"]
    assert groups(composed(part(exam=exam()))) == []
    assert groups(composed(placed(0.9))) == []
    heel = HEEL.ultrasound
    assert heel is not None
    shown = heel.model_copy(update={"stiffness_index": None, "side": None, "measured_on": None})
    found = of(composed(known(HEEL.model_copy(update={"ultrasound": shown}))), "US_SOS")
    assert not {"US_SI", "US_QUI", "111060"} & found.keys()


def test_the_course_is_a_group_each_for_change_rate_and_forecast() -> None:
    made_of = placed(0.9, 0.88, 0.83)
    *changes, rate, ahead = groups(composed(made_of))
    assert [one["EARLIER"] for one in changes] == ["20250130", "20240130"]
    assert changes[0]["BMD_CHANGE"] == (-0.05, "g/cm2")
    assert changes[0]["LSC"] == (0.0305, "g/cm2")
    assert {one["VERDICT"] for one in changes} == {"LOSS"}
    assert rate["STUDIES"] == (3.0, "1")
    assert rate["LOW"][0] < rate["BMD_RATE"][0] < rate["HIGH"][0]
    assert {rate["ORIGIN"], *(one["ORIGIN"] for one in changes)} == {"COMPUTED"}
    assert ahead["ORIGIN"] == "MODEL"
    (course,) = courses([made_of])
    assert ahead["111003"] == course.said[-1].version
    assert "111003" not in rate
    assert len([one for one in ahead if one.startswith("BMD_")]) == 15
    assert "simulated patients" in ahead["121106"]
    for one in (*changes, rate, ahead):
        assert (one["363698007"], one["USE"]) == ("122496007", "RESEARCH")
        assert "Research use only" in one["121106"]


def test_they_stay_preliminary_in_a_report_that_is_verified() -> None:
    found = composed(known(ENTERED, review=REVIEW))
    assert found.VerificationFlag == "VERIFIED"
    assert {one["USE"] for one in groups(found)} == {"RESEARCH"}


def test_what_was_entered_since_is_in_the_next_revision_and_what_was_removed_is_not() -> None:
    one = known(ENTERED)
    first = composed(one)
    heel = ENTERED.ultrasound
    assert heel is not None
    faster = heel.model_copy(update={"sos_m_s": 1540.0})
    later = HEEL.model_copy(update={"ultrasound": faster})
    changed = dataclasses.replace(one, exam=exam(modalities=later))
    named = (str(first.SOPClassUID), str(first.SeriesInstanceUID), str(first.SOPInstanceUID))
    second = composed(changed, revision=1, predecessor=named)
    assert second.SOPInstanceUID != first.SOPInstanceUID
    assert of(second, "US_SOS")["US_SOS"] == (1540.0, "m/s")
    assert [one["ORIGIN"] for one in groups(second)] == ["ENTERED"]
    (reference,) = second.PredecessorDocumentsSequence[0].ReferencedSeriesSequence
    assert reference.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == first.SOPInstanceUID


def test_images_of_one_exam_tell_it_once() -> None:
    one = known(ENTERED)
    twin = part(exam=one.exam, StudyInstanceUID=one.source.StudyInstanceUID)
    assert len(groups(composed(one, twin))) == len(entered([one])) == 2


def full(by: str, **tags: Any) -> Judged:
    """Return an image of which there is all that a report can have, with what ``by`` entered."""
    course = placed(0.9, 0.88, 0.83, **tags)
    assert course.exam is not None
    entry = ENTERED.ct_entry
    assert entry is not None
    kept = ENTERED.model_copy(update={"ct_entry": entry.model_copy(update={"by": by})})
    return dataclasses.replace(course, exam=course.exam.model_copy(update={"modalities": kept}))


def test_validators_and_another_reader_find_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "report.dcm"
    path.write_bytes(file(composed(full("A. Reader"))))
    assert counterparts.dciodvfy(path) == []
    read = srread(path)
    assert isinstance(read.content, MeasurementReport)
    assert len(read.content.get_image_measurement_groups()) == 7
    assert counterparts.sr_validator(path) == []


@pytest.mark.parametrize(
    ("charset", "patient", "by", "written"),
    [
        (None, "Doe^Jane", "A. Reader", None),
        (None, "Doe^Jane", "A^B=Ł\\Müller", "ISO_IR 192"),
        ("ISO_IR 100", "Müller^Jürgen", "Ärztin", "ISO_IR 100"),
        ("ISO_IR 100", "Müller^Jürgen", "A^B=Ł\\Müller", "ISO_IR 192"),
        ("ISO_IR 192", "Łukasz^Ωmega", "A^B=Ł\\Müller", "ISO_IR 192"),
    ],
)
def test_whoever_entered_it_is_named_in_letters_that_the_report_can_write(
    tmp_path: Path, charset: str | None, patient: str, by: str, written: str | None
) -> None:
    tags = {"SpecificCharacterSet": charset} if charset else {}
    path = tmp_path / "report.dcm"
    path.write_bytes(file(composed(full(by, PatientName=patient, **tags))))
    assert counterparts.dciodvfy(path) == []
    read = pydicom.dcmread(path)
    assert (read.get("SpecificCharacterSet"), str(read.PatientName)) == (written, patient)
    found = of(read, "112031")
    assert found["121008"] == re.sub(r"[\\^=]", " ", by)
    assert found["121106"].startswith(f"Entered by {by} on")
