"""The transaction for a record: a kept library of R4B's models, and what was said of the images."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from service.integration.compose import bundle
from service.integration.compose.source import Made
from service.integration.destinations import FhirDestination
from tests.service.integration.compose.kit import (
    CASE,
    REFUSED,
    STUDIES,
    made,
    part,
    prediction,
    sheet,
)

Json = dict[str, Any]


def destination(**changes: Any) -> FhirDestination:
    values = {"name": "record", "kind": "fhir", "base": "https://fhir.clinic.example/r4"}
    return FhirDestination(**{**values, **changes})


def composed(study: Made, **changes: Any) -> list[Json]:
    found = json.loads(bundle.compose(destination(**changes), study))
    assert (found["resourceType"], found["type"]) == ("Bundle", "transaction")
    return list(found["entry"])


def resources(entries: list[Json], kind: str, code: str = "") -> list[Json]:
    return [
        one["resource"]
        for one in entries
        if one["resource"]["resourceType"] == kind
        and (not code or one["resource"]["code"]["coding"][0]["code"] == code)
    ]


def empty(value: Any) -> bool:
    """Whether anything in ``value`` is a member that FHIR does not allow: null or empty."""
    if isinstance(value, dict):
        return not value or any(map(empty, value.values()))
    if isinstance(value, list):
        return not value or any(map(empty, value))
    return value is None or value == ""


@pytest.mark.parametrize("name", STUDIES)
def test_models_of_another_take_every_resource(name: str) -> None:
    entries = composed(STUDIES[name], pdf=True)
    for one in entries:
        resource = one["resource"]
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    assert not empty(entries)
    assert {one["resource"]["resourceType"] for one in entries} == {
        "Device", "ImagingStudy", "Observation", "DiagnosticReport", "Provenance"
    }  # fmt: skip


@pytest.mark.parametrize("name", STUDIES)
def test_every_reference_leads_to_an_entry(name: str) -> None:
    entries = composed(STUDIES[name])
    urls = [one["fullUrl"] for one in entries]
    assert len(set(urls)) == len(urls)

    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["reference"]] if isinstance(value.get("reference"), str) else []
            return own + [one for inner in value.values() for one in references(inner)]
        if isinstance(value, list):
            return [one for inner in value for one in references(inner)]
        return []

    found = references([one["resource"] for one in entries])
    assert found
    assert set(found) <= set(urls)


def test_a_report_is_preliminary_for_research_and_of_this_patient() -> None:
    entries = composed(made(), patients="urn:oid:1.2.3")
    (report,) = resources(entries, "DiagnosticReport")
    (probability,) = resources(entries, "Observation", "PROBABILITY")
    assert probability["valueQuantity"]["value"] == 0.83
    for one in (report, *resources(entries, "Observation")):
        assert one["status"] == "preliminary"
        assert one["subject"]["identifier"]["value"] == "4711"
        assert one["subject"]["identifier"]["system"] == "urn:oid:1.2.3"
        assert "Research use only" in json.dumps(one["text"])
    assert "Research use only" in report["conclusion"]
    assert report["basedOn"][0]["identifier"]["value"] == "A1"
    # Names are the record's own, and are not sent.
    assert "Doe" not in json.dumps(entries)


def test_a_refusal_is_not_analysed_without_a_probability() -> None:
    entries = composed(made(part(prediction(**REFUSED))))
    (outcome,) = resources(entries, "Observation", "OUTCOME")
    assert outcome["valueCodeableConcept"]["text"] == "Not analysed"
    assert outcome["component"][0]["valueCodeableConcept"]["text"] == "Not spine dxa"
    (probability,) = resources(entries, "Observation", "PROBABILITY")
    assert not [name for name in probability if name.startswith("value")]
    assert probability["dataAbsentReason"]["coding"][0]["code"] == "not-performed"
    (report,) = resources(entries, "DiagnosticReport")
    assert "Not analysed" in report["conclusion"]
    assert "%" not in json.dumps(entries)


def test_a_resend_names_the_same_and_a_revision_replaces_it() -> None:
    one = part()
    first = composed(made(one))
    assert first == composed(made(one))
    revised = composed(made(one, part(StudyInstanceUID=one.source.StudyInstanceUID)))

    def requests(entries: list[Json], kind: str) -> list[Json]:
        return [one["request"] for one in entries if one["resource"]["resourceType"] == kind]

    assert requests(first, "DiagnosticReport") == requests(revised, "DiagnosticReport")
    assert all(one in requests(revised, "Observation") for one in requests(first, "Observation"))
    for kind in ("Device", "ImagingStudy", "Provenance"):
        assert all(one["method"] == "POST" and one["ifNoneExist"] for one in requests(first, kind))
    for kind in ("Observation", "DiagnosticReport"):
        assert all(one["method"] == "PUT" and "?" in one["url"] for one in requests(first, kind))


def test_two_sites_with_the_same_study_have_reports_of_their_own() -> None:
    one = part()
    east, west = (composed(made(one, site=site))[-2]["request"]["url"] for site in ("east", "west"))
    assert east != west
    assert composed(made(one))[-1] != composed(made(one, case_id=CASE.__class__(int=7)))[-1]


def test_a_patient_without_a_number_is_nobody_a_record_could_file_it_under() -> None:
    assert bundle.refusal(made(part(PatientID=""))) == "no_patient_id"
    assert bundle.refusal(made()) is None


def test_a_sheet_goes_along_where_it_is_asked_for() -> None:
    study = made(sheets=(sheet(),))
    (report,) = resources(composed(study, pdf=True), "DiagnosticReport")
    assert base64.b64decode(report["presentedForm"][0]["data"]) == sheet()
    (report,) = resources(composed(study), "DiagnosticReport")
    assert "presentedForm" not in report


def test_the_curve_is_a_component_of_the_outcome_with_its_interval() -> None:
    outcomes = resources(composed(made(part(prediction()))), "Observation", "OUTCOME")
    quantities = {
        one["code"]["coding"][0]["code"]: one["valueQuantity"]
        for one in outcomes[0]["component"]
        if "valueQuantity" in one
    }
    assert {code: one["value"] for code, one in quantities.items()} == {
        "DXA_ANGLE": 0.2, "DXA_ANGLE_LOW": 0.0, "DXA_ANGLE_HIGH": 2.9
    }  # fmt: skip
    assert {(one["unit"], one["code"]) for one in quantities.values()} == {("deg", "deg")}
