"""The scanner's own numbers in the transaction: coded, the scanner's, and never ours."""

from __future__ import annotations

import json
from typing import Any

import pytest

from service.exams.densitometer.concepts import named
from service.exams.measurements import Measurement
from service.exams.parts import Scanner
from service.exams.regions import Regions
from service.integration.compose.measured import sites
from tests.service.integration.compose.kit import exam, made, part, prediction, told
from tests.service.integration.compose.test_bundle import Json, composed, resources

SCT, LN = "http://snomed.info/sct", "http://loinc.org"
SPINE = Measurement(region="lumbar_spine", vertebrae=("L1", "L2"), bmd_g_cm2=0.9, t_score=-1.8)


def ours(entries: list[Json]) -> dict[str, Json]:
    """Return the observations of numbers by their codes of ours."""
    found = {one["code"]["coding"][-1]["code"]: one for one in resources(entries, "Observation")}
    return {code: one for code, one in found.items() if code not in ("OUTCOME", "PROBABILITY")}


def notes(*exams: Any) -> str:
    (site,) = sites([part(exam=one) for one in exams])
    return site.whose


def test_numbers_have_the_codes_that_the_domain_names() -> None:
    found = ours(composed(made(part(exam=exam(told())))))
    values = {
        code: (one["valueQuantity"]["value"], one["valueQuantity"]["code"])
        for code, one in found.items()
    }
    assert values == {
        "L4_BMD": (0.9, "g/cm2"), "L4_T_SCORE": (-1.4, "1"),
        "LS_BMD": (0.873, "g/cm2"), "LS_T_SCORE": (-1.8, "1"), "LS_Z_SCORE": (-0.4, "1"),
        "FN_LEFT_BMD": (0.631, "g/cm2"), "FN_LEFT_T_SCORE": (-2.0, "1"),
        "TH_RIGHT_BMD": (0.8, "g/cm2"), "TH_RIGHT_T_SCORE": (-1.0, "1"),
        "TH_RIGHT_Z_SCORE": (0.1, "1"), "R33_BMD": (0.6, "g/cm2"),
    }  # fmt: skip
    loinc = {
        code: one["code"]["coding"][0]["code"]
        for code, one in found.items()
        if one["code"]["coding"][0]["system"] == LN
    }
    assert loinc == {
        "LS_BMD": "24966-4", "LS_T_SCORE": "38267-1", "LS_Z_SCORE": "85394-5",
        "TH_RIGHT_BMD": "46279-6", "TH_RIGHT_T_SCORE": "80945-9", "TH_RIGHT_Z_SCORE": "80937-6",
    }  # fmt: skip
    sites = {
        code: one["bodySite"].get("coding", [{}])[0].get("code") for code, one in found.items()
    }
    assert [sites[one] for one in ("L4_BMD", "LS_BMD", "FN_LEFT_BMD", "TH_RIGHT_BMD")] == [
        "11994002", "122496007", "29627003", "29836001",
    ]  # fmt: skip
    assert sites["R33_BMD"] is None
    assert found["R33_BMD"]["bodySite"]["text"] == "One-third radius"


def test_sides_and_vertebrae_are_coded() -> None:
    found = ours(composed(made(part(exam=exam(told())))))

    def components(code: str) -> list[tuple[str, str]]:
        return [
            (one["code"]["text"], one["valueCodeableConcept"]["coding"][0]["code"])
            for one in found[code].get("component", [])
        ]

    assert components("FN_LEFT_BMD") == [("Laterality", "7771000")]
    assert components("TH_RIGHT_BMD") == [("Laterality", "24028007")]
    assert components("L4_BMD") == []
    assert [code for _, code in components("LS_BMD")] == ["66794005", "14293000", "11994002"]


def test_each_code_is_read_as_what_it_was_written_for() -> None:
    for site in sites([part(exam=exam(told()))]):
        for number in site.numbers:
            if number.loinc is not None:
                meant = named((number.loinc, "LN", ""))
                assert (meant.quantity, meant.region, meant.side) == (
                    number.quantity, site.measurement.region, site.measurement.side
                )  # fmt: skip
        if site.snomed is not None:
            assert named((site.snomed, "SCT", "")).region == site.measurement.region


def test_numbers_are_the_scanners_and_stay_preliminary() -> None:
    review = {
        "number": 1, "created_at": "2026-02-04T08:30:00Z", "action": "sign",
        "outcome": "osteoporosis", "reviewer": "B. Reader", "reason": None,
    }  # fmt: skip
    entries = composed(made(part(prediction(review=review), exam(told()))))
    (report,) = resources(entries, "DiagnosticReport")
    assert report["status"] == "final"
    (scanner,) = [one for one in entries if "serialNumber" in one["resource"]]
    assert scanner["resource"]["manufacturer"] == "Hologic & Co"
    assert scanner["resource"]["deviceName"] == [{"name": "Horizon <A>", "type": "model-name"}]
    assert scanner["request"]["ifNoneExist"]
    study = resources(entries, "Observation", "OUTCOME")[0]["derivedFrom"]
    for one in ours(entries).values():
        assert one["status"] == "preliminary"
        assert one["device"]["reference"] == scanner["fullUrl"]
        assert one["derivedFrom"] == study
        assert one["effectiveDateTime"] == "2026-01-30"
        assert one["subject"] == report["subject"]
        assert "Research use only" in one["note"][0]["text"]
        assert "no number of osteoserve's models" in one["note"][0]["text"]
        # No tag that a model said it, and nobody of ours who did.
        assert "ai" not in [tag["code"] for tag in one["meta"]["tag"]]
        assert "performer" not in one
    urls = {one["reference"] for one in report["result"]}
    assert {one["fullUrl"] for one in entries if "urn:oid" in one["request"]["url"]} - urls == {
        one["fullUrl"] for one in entries if one["resource"] is report
    }
    assert "Lumbar spine (L1, L2, L4): BMD 0.873 g/cm2, T-score -1.8" in report["text"]["div"]
    # What models said stays what the conclusion says.
    assert "0.873" not in report["conclusion"]


def test_a_scanner_that_is_not_named_is_no_device() -> None:
    entries = composed(made(part(exam=exam(told(SPINE, scanner=None, acquired_on=None)))))
    assert len(resources(entries, "Device")) == 1
    study = resources(entries, "Observation", "OUTCOME")[0]
    found = ours(entries)
    assert set(found) == {"LS_BMD", "LS_T_SCORE"}
    for one in found.values():
        assert one["device"] == {"display": "Bone densitometer"}
        assert one["effectiveDateTime"] == study["effectiveDateTime"]


def test_a_number_is_told_once_a_study_and_replaced_under_its_name() -> None:
    facts = exam(told())
    first = part(exam=facts)
    study = first.source.StudyInstanceUID
    alone = composed(made(first))
    assert alone == composed(made(first))
    both = composed(made(first, part(exam=facts, StudyInstanceUID=study)))
    corrected = exam(told(SPINE.model_copy(update={"vertebrae": ("L1", "L2", "L4")})))

    def requests(entries: list[Json]) -> list[str]:
        numbers = list(map(id, ours(entries).values()))
        found = [one["request"] for one in entries if id(one["resource"]) in numbers]
        assert {one["method"] for one in found} == {"PUT"}
        return sorted(one["url"] for one in found)

    assert len(set(requests(alone))) == len(requests(alone)) == 11
    assert requests(both) == requests(alone)
    again = composed(made(part(exam=corrected, StudyInstanceUID=study)))
    assert set(requests(again)) < set(requests(alone))


def test_without_numbers_nothing_is_told() -> None:
    plain = part()
    nothing = exam(told(Measurement(region="L1")))
    for facts in (None, exam(), nothing, exam(bmd_g_cm2=0.9, t_score=-1.0)):
        entries = composed(made(part(exam=facts, StudyInstanceUID=plain.source.StudyInstanceUID)))
        assert ours(entries) == {}
        assert len(resources(entries, "Device")) == 1


def test_of_a_conflict_the_scanners_number_is_told_and_the_other_named() -> None:
    entered = exam(told(SPINE), t_score=-1.1, scanner=Scanner(vendor="GE", serial="7"))
    number = ours(composed(made(part(exam=entered))))["LS_T_SCORE"]
    assert number["valueQuantity"]["value"] == -1.8
    said = number["note"][0]["text"]
    assert "Kept of the exam is another T-score: -1.1." in said
    assert "Kept of the exam is another scanner: GE 7." in said
    assert "-1.1" in number["text"]["div"]
    assert "BMD" not in said
    same = exam(told(SPINE), t_score=-1.8)
    assert "Kept" not in notes(same)


def test_what_somebody_entered_of_a_region_stands_beside_the_scanners_number() -> None:
    regions = Regions.model_validate(
        {"femoral_neck": {"side": "left", "t_score": -2.4, "bmd_g_cm2": 0.631}}
    )
    found = ours(composed(made(part(exam=exam(told(), regions=regions, z_score=-0.1)))))
    neck, spine = found["FN_LEFT_T_SCORE"], found["LS_Z_SCORE"]
    assert (neck["valueQuantity"]["value"], spine["valueQuantity"]["value"]) == (-2.0, -0.4)
    assert "Kept of the exam is another T-score: -2.4." in neck["note"][0]["text"]
    assert "another BMD" not in neck["note"][0]["text"]
    assert "Kept of the exam is another Z-score: -0.1." in spine["note"][0]["text"]
    assert "Kept" not in found["TH_RIGHT_T_SCORE"]["note"][0]["text"]


@pytest.mark.parametrize("together", [True, False], ids=["one image", "two images"])
def test_what_another_object_says_stands_beside_the_last(together: bool) -> None:
    other = told(SPINE.model_copy(update={"t_score": -2.2, "bmd_g_cm2": 0.8}))
    exams = [exam(other, told(SPINE))] if together else [exam(other), exam(told(SPINE))]
    (site,) = sites([part(exam=one) for one in exams])
    assert [one.written for one in site.numbers] == ["0.900", "-1.8"]
    assert site.beside == (
        "Another object of the study says BMD 0.800 g/cm2.",
        "Another object of the study says T-score -2.2.",
    )


def test_what_was_left_out_is_told_nowhere() -> None:
    entries = composed(made(part(exam=exam(told()))))
    assert [one for one in ours(entries) if one.startswith("L3")] == []
    assert "0.873" in json.dumps(entries)
