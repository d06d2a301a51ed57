"""Heights by points that a reader kept: in the record's transaction and in the PACS's report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.sr._concepts_dict import concepts

from models.vertebrae.morphometry import LATERAL_LEVELS
from service.integration.compose import document, report
from service.integration.compose.heights import PIXELS, SITES, told
from service.integration.compose.source import Judged
from service.reviews.schemas import EXAMPLE as REVIEW
from tests.service.integration import counterparts
from tests.service.integration.compose.kit import lateral, made, part, points
from tests.service.integration.compose.test_bundle import Json, composed, resources
from tests.service.integration.kit import file
from tests.service.integration.test_round_trip import items
from tests.service.kit.images import png, waves

SIGNED = {**REVIEW, "action": "sign", "outcome": "refused", "reason": None}


def found(*parts: Judged) -> dict[str, Json]:
    """Return the observations of vertebrae by their levels."""
    entries = composed(made(*parts))
    (study,) = resources(entries, "DiagnosticReport")
    heights = [one for one in entries if one["resource"].get("code", {}).get("text") == GRADE]
    assert {one["fullUrl"] for one in heights} <= {one["reference"] for one in study["result"]}
    return {one["resource"]["bodySite"]["text"]: one["resource"] for one in heights}


GRADE = "Grade by six points, after Genant"


def groups(one: Judged) -> list[Dataset]:
    """Return the report's measurement groups beyond that of the image."""
    made_of = made(one)
    whole = report.compose(made_of.parts, made_of.origin, None)
    named = [it for it in items(whole) if meaning(it) == "Measurement Group"]
    assert "Outcome" in values(named[0])
    return named[1:]


def meaning(item: Dataset) -> str:
    names = item.get("ConceptNameCodeSequence")
    return str(names[0].CodeMeaning) if names else ""


def values(group: Dataset) -> dict[str, Any]:
    """Return what a group says by the names of its items; of numbers their unit, too."""
    told_of = {}
    for item in group.ContentSequence:
        match item.ValueType:
            case "NUM":
                (value,) = item.MeasuredValueSequence
                unit = value.MeasurementUnitsCodeSequence[0].CodeValue
                told_of[meaning(item)] = (float(value.NumericValue), unit)
            case "CODE":
                told_of[meaning(item)] = item.ConceptCodeSequence[0].CodeMeaning
            case "TEXT":
                told_of[meaning(item)] = item.TextValue
    return told_of


def test_sites_are_those_of_dicom() -> None:
    assert tuple(SITES) == LATERAL_LEVELS
    for level, code in SITES.items():
        (known,) = concepts["SCT"][f"{level}Vertebra"].items()
        assert (known[0], 7603 in known[1][1]) == (code, True)


def test_a_record_is_told_grade_heights_and_whose_the_points_are() -> None:
    vertebrae = found(lateral())
    assert list(vertebrae) == ["T12", "L1", "L2"]
    l1 = vertebrae["L1"]
    assert l1["valueCodeableConcept"]["coding"][0]["code"] == "GENANT_2"
    parts = {
        one["code"]["coding"][0]["code"]: (
            one["valueQuantity"]["value"]
            if "valueQuantity" in one
            else one["valueCodeableConcept"]["coding"][0]["code"]
        )
        for one in l1["component"]
    }
    assert parts == {
        "HEIGHT_FRONT": 21.0, "HEIGHT_MIDDLE": 25.5, "HEIGHT_BACK": 30.0, "LOST_FRONT": 0.3,
        "LOST_MIDDLE": 0.15, "LOST_BACK": 0.0, "SHAPE": "WEDGE", "POINTS": "SET",
    }  # fmt: skip
    assert l1["component"][0]["valueQuantity"]["code"] == PIXELS
    assert l1["performer"] == [{"display": "Reader <B>"}]
    assert l1["issued"] == "2026-02-03T12:00:00.000+00:00"
    assert l1["status"] == "preliminary"
    assert [one["code"] for one in l1["meta"]["tag"]] == ["entered", "research"]
    assert "device" not in l1
    assert "kept by the reader as proposed, unmoved" in vertebrae["T12"]["method"]["text"]
    assert "No number of osteoserve's models" in l1["note"][0]["text"]


def test_the_last_version_counts_and_one_without_vertebrae_says_nothing() -> None:
    one = points(2, vertebrae=points().model_dump()["vertebrae"][:1])
    assert list(found(lateral(points(), one))) == ["T12"]
    for nothing in (lateral(points(), points(2, vertebrae=())), part()):
        assert found(nothing) == {}
        assert groups(nothing) == []
    assert len(told([lateral(), lateral()])) == 6


@pytest.mark.parametrize(
    ("signed_at", "late"),
    [("2026-02-03T11:00:00Z", True), ("2026-02-03T13:00:00Z", False), (None, False)],
    ids=["before", "after", "never"],
)
def test_what_came_after_a_signature_says_so(signed_at: str | None, late: bool) -> None:
    review = None if signed_at is None else {**SIGNED, "created_at": signed_at}
    one = lateral(review=review)
    words = "After the result was signed: the signature is not of it."
    assert (words in found(one)["L1"]["note"][0]["text"]) is late
    (_, l1, _) = groups(one)
    assert (words in values(l1)["Who has kept the points, and when"]) is late


def test_the_report_has_a_group_a_vertebra(tmp_path: Path) -> None:
    t12, l1, _ = (values(one) for one in groups(lateral()))
    assert l1["Front height"] == (21.0, PIXELS)
    assert l1["Middle height"] == (25.5, PIXELS)
    assert l1["Back height"] == (30.0, PIXELS)
    assert l1["Front height lost"] == (0.3, "1")
    assert l1[GRADE] == "Grade 2, moderate: over 25 to 40 % lost"
    assert l1["Shape by six points"] == "Wedge"
    assert l1["Finding Site"] == "L1 vertebra"
    assert l1["Whose the points are"] == "Set by the reader"
    assert t12["Whose the points are"] == "Kept by the reader as proposed, unmoved"
    assert "Points kept by Reader <B> on 2026-02-03" in l1["Who has kept the points, and when"]
    # No algorithm has a part in it.
    assert not {"Algorithm Name", "Algorithm Version"} & l1.keys()
    study = made(lateral())
    path = tmp_path / "report.dcm"
    path.write_bytes(file(report.compose(study.parts, study.origin, None)))
    assert counterparts.dciodvfy(path) == []


def test_the_sheet_for_the_pacs_has_it() -> None:
    scan = png(waves(224, 224))
    with_it, without = (
        document.sheet(one, scan) for one in (lateral(), lateral(points(vertebrae=())))
    )
    assert with_it != without
