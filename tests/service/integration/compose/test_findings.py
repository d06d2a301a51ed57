"""Whatever is noticed in an image is in the report, and none that questions it stands under a
reassuring outcome."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, Final, get_args

import pytest
from pydicom.dataset import Dataset

from models.gate.reason import Reason
from models.vertebrae.findings import QUESTIONING, Code
from service.exams.measurements import Measurement
from service.exams.schemas import Exam
from service.integration.compose import bundle, capture, report, wording
from service.integration.compose.source import Judged
from service.integration.compose.uids import Origin
from service.predictions.schemas import EXAMPLE, Prediction
from tests.service.integration.compose.kit import exam, made, told
from tests.service.integration.compose.messages import message, rows
from tests.service.integration.compose.test_bundle import destination as record
from tests.service.integration.kit import image

CODES: Final[tuple[str, ...]] = (*get_args(Code), *(one.value for one in Reason))
OF_THE_SPINE: Final = frozenset(get_args(Code))


def judged(
    code: str, outcome: str = "normal", probability: float = 0.02, known: Exam | None = None
) -> Judged:
    """Return an image as an older version may have kept it: with a finding, and *normal*.

    ``code`` is empty for none.
    """
    finding = {"code": code, "level": None, "value": 13.0, "rule": "x"}
    of_the_spine = [finding] if code in OF_THE_SPINE else []
    of_the_gate = [code] if code and code not in OF_THE_SPINE else []
    fields: dict[str, Any] = {
        **EXAMPLE,
        "outcome": outcome,
        "probability": probability,
        "quality": {"accepted": True, "reasons": [], "findings": of_the_gate},
        "vertebrae": {**EXAMPLE["vertebrae"], "findings": of_the_spine},
    }
    return Judged(source=image(), prediction=Prediction.model_validate(fields), exam=known)


def origin(one: Judged) -> Origin:
    versions = (one.prediction.version or "",)
    return Origin(
        study_uid=one.source.StudyInstanceUID, hashes=("0" * 64,), versions=versions, revision=0
    )


def said(data: Dataset) -> list[str]:
    """Return the meanings of all codes that are values in a report."""
    found = []
    for item in data.iterall():
        if item.keyword == "ConceptCodeSequence":
            found.extend(code.CodeMeaning for code in item.value)
    return found


@pytest.mark.parametrize("code", CODES)
def test_a_report_can_be_made_of_every_finding(code: str) -> None:
    with_it, without = judged(code, "indeterminate", 0.44), judged("", "indeterminate", 0.44)
    words, others = (said(report.compose([one], origin(one), None)) for one in (with_it, without))
    (told,) = set(words) - set(others)
    assert len(told) > 3


@pytest.mark.parametrize("code", sorted(QUESTIONING))
def test_nothing_that_questions_an_image_is_reported_under_a_reassuring_outcome(code: str) -> None:
    one = judged(code)
    words = said(report.compose([one], origin(one), None))
    assert not any("No sign" in word for word in words)
    assert "Indeterminate: no answer" in words
    assert "Indeterminate" in capture.lines(one)[0]


LOW_HIP = told(Measurement(region="total_hip", side="left", t_score=-2.7))
CONTRADICTED: Final = [
    "The image's models say otherwise; the T-score counts",
    "Denser: the spine's T-score may be too high (L3)",
    "The hip's T-score is in the range of osteoporosis",
]


def contradicted(t_score: float) -> Judged:
    """Return an image with a dense L3 that its models read as low, of a woman with ``t_score``."""
    one = judged(
        "", "osteoporosis", 0.83, exam(LOW_HIP, t_score=t_score, sex="female", age_years=70)
    )
    dense = Prediction.model_validate(EXAMPLE)
    return dataclasses.replace(one, prediction=dense)


def test_what_contradicts_a_t_score_is_in_report_message_and_record() -> None:
    one = contradicted(-0.3)
    words = said(report.compose([one], origin(one), None))
    assert [word for word in words if word in CONTRADICTED] == CONTRADICTED
    study = made(one)
    sent = message(study)
    coded = [row[5].split("^")[1] for row in rows(sent) if row[3].startswith("CONFLICT^")]
    assert coded == CONTRADICTED
    (outcome,) = (
        entry["resource"]
        for entry in json.loads(bundle.compose(record(), study))["entry"]
        if entry["resource"].get("code", {}).get("text") == "Outcome"
    )
    shown = [
        component["valueCodeableConcept"]["text"]
        for component in outcome["component"]
        if component["code"]["coding"][0]["code"] == "CONFLICT"
    ]
    assert shown == CONTRADICTED
    sentence = f"What contradicts the T-score: {'; '.join(CONTRADICTED)}."
    assert sentence in wording.whole(one)
    assert sentence in sent.decode()


def test_a_low_t_score_and_an_unknown_one_have_nothing_against_them() -> None:
    for one in (contradicted(-2.8), judged("curve")):
        words = said(report.compose([one], origin(one), None))
        assert not set(words) & set(CONTRADICTED)
        assert b"CONFLICT" not in message(made(one))


def test_what_contradicts_has_codes_as_long_as_dicom_takes() -> None:
    levels = ("L1", "L2", "L3", "L4")
    dense = [
        {"code": "denser_than_neighbours", "level": one, "value": 1, "rule": "x"} for one in levels
    ]
    fields = {**EXAMPLE, "vertebrae": {**EXAMPLE["vertebrae"], "findings": dense}}
    one = dataclasses.replace(contradicted(-0.3), prediction=Prediction.model_validate(fields))
    found = wording.contradictions(one)
    assert "(L1, L2, L3, L4)" in found[1][1]
    assert all(len(value) <= 16 and len(meaning) <= 64 for value, meaning in found)


@pytest.mark.parametrize(
    ("probability", "told"), [(0.999, "over 95 %"), (0.0004, "under 5 %"), (0.834, "83 %")]
)
def test_a_capture_says_no_probability_finer_than_it_is_known(
    probability: float, told: str
) -> None:
    one = judged("curve", "indeterminate", probability)
    assert capture.lines(one)[0].endswith(told)


def measured(data: Dataset) -> dict[str, float]:
    """Return the numbers of a report by the meanings of their names."""
    found = {}
    for item in data.iterall():
        if item.keyword == "ContentSequence":
            for one in item.value:
                if "MeasuredValueSequence" in one:
                    name = one.ConceptNameCodeSequence[0].CodeMeaning
                    found[name] = float(one.MeasuredValueSequence[0].NumericValue)
    return found


def test_a_report_has_the_curve_with_its_interval_and_no_cobb_angle() -> None:
    one = judged("curve", "indeterminate", 0.44)
    told = measured(report.compose([one], origin(one), None))
    assert {name: value for name, value in told.items() if "angle" in name} == {
        "DXA screening angle L1-L4, supine": 0.2,
        "DXA screening angle L1-L4, supine: lower end of its interval": 0.0,
        "DXA screening angle L1-L4, supine: upper end of its interval": 2.9,
    }
    older = {**EXAMPLE["vertebrae"], "curve_interval": None}
    fields = {**EXAMPLE, "vertebrae": older}
    without = Judged(source=image(), prediction=Prediction.model_validate(fields))
    told = measured(report.compose([without], origin(without), None))
    assert not any("angle" in name for name in told)
