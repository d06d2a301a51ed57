"""What people entered of other modalities in the transaction: theirs, coded, and of no class."""

from __future__ import annotations

import json

from service.integration.compose.entered import entered
from service.medicine.modalities.entered import Entered
from service.medicine.modalities.registry import MODALITIES
from tests.service.integration.compose.kit import ENTERED, exam, made, part, told
from tests.service.integration.compose.test_bundle import Json, composed, resources

UCUM = "http://unitsofmeasure.org"
DCM = "http://dicom.nema.org/resources/ontology/DCM"


def found(kept: Entered = ENTERED) -> dict[str, Json]:
    """Return the observations of what was ``kept`` by their codes."""
    entries = composed(made(part(exam=exam(modalities=kept))))
    return {
        one["code"]["coding"][0]["code"]: one
        for one in resources(entries, "Observation")
        if one["meta"]["tag"][0]["code"] == "entered"
    }


def test_numbers_have_the_registry_s_codes_and_units() -> None:
    values = {
        code: (one["valueQuantity"]["value"], one["valueQuantity"]["code"])
        for code, one in found().items()
    }
    assert values == {
        "112031": (96.4, "[hnsf'U]"), "US_SOS": (1531.2, "m/s"), "US_BUA": (108.4, "dB/MHz"),
        "US_SI": (81.4, "1"),
    }  # fmt: skip
    coded = {one.value: one.unit for kind in MODALITIES.values() for one in kind.codes}
    assert {code: unit for code, (_, unit) in values.items()}.items() <= coded.items()
    assert found()["112031"]["code"]["coding"][0]["system"] == DCM
    assert {one["valueQuantity"]["system"] for one in found().values()} == {UCUM}


def test_who_entered_it_when_and_by_which_device_stands_beside_it() -> None:
    ct, heel = found()["112031"], found()["US_SOS"]
    assert ct["performer"] == [{"display": "Reader <B>"}]
    assert ct["issued"] == "2026-01-31T09:30:00.000+00:00"
    assert ct["device"] == {"display": "Siemens & Co Force"}
    assert (ct["effectiveDateTime"], heel["effectiveDateTime"]) == ("2026-01-12", "2026-01-20")
    assert "Entered by Reader <B> on 2026-01-31" in ct["note"][0]["text"]
    assert "performer" not in heel
    assert heel["device"] == {"display": "GE Lunar Achilles A-7"}
    assert [one["valueCodeableConcept"]["text"] for one in heel["component"]] == ["Left"]
    beside = {
        one["code"]["coding"][0]["code"]: (
            one.get("valueQuantity", {}).get("value") or one["valueCodeableConcept"]["text"]
        )
        for one in ct["component"]
    }
    assert beside == {"CT_SD": 21.5, "CT_KV": 120.0, "CT_CONTRAST": "Not stated"}
    unsaid = found(ENTERED.model_copy(update={"ultrasound_entry": None}))["US_BUA"]
    assert "issued" not in unsaid
    assert unsaid["note"][0]["text"].startswith("Entered, measured by GE Lunar Achilles")


def test_they_are_preliminary_of_no_model_and_of_no_class() -> None:
    entries = composed(made(part(exam=exam(told(), modalities=ENTERED))))
    (report,) = resources(entries, "DiagnosticReport")
    urls = {one["reference"] for one in report["result"]}
    for one in entries:
        resource = one["resource"]
        if resource["resourceType"] != "Observation":
            continue
        assert one["fullUrl"] in urls
        tags = [tag["code"] for tag in resource["meta"]["tag"]]
        if "entered" in tags:
            assert resource["status"] == "preliminary"
            assert "ai" not in tags
            assert "interpretation" not in resource
            assert "no class of the WHO's" in resource["note"][0]["text"]
    said = json.dumps(report["text"])
    assert "Ultrasound of the heel: Speed of sound at the heel 1531.2 m/s" in said
    assert "Attenuation Coefficient 96.4 HU" in said
    assert "1531" not in report["conclusion"]


def test_images_of_one_exam_tell_it_once_and_of_others_each() -> None:
    one, other = part(exam=exam(modalities=ENTERED)), part(exam=exam(modalities=ENTERED))
    assert [told.image for told in entered([one, other])] == [str(one.source.SOPInstanceUID)] * 2
    heel = ENTERED.model_copy(update={"ct": None, "ct_entry": None})
    assert len(entered([one, part(exam=exam(modalities=heel))])) == 3
    assert entered([part(), part(exam=exam())]) == ()


def test_an_index_that_follows_by_a_formula_is_not_passed_on() -> None:
    heel = ENTERED.ultrasound
    assert heel is not None
    unshown = ENTERED.model_copy(
        update={"ultrasound": heel.model_copy(update={"stiffness_index": None})}
    )
    assert "US_SI" not in found(unshown)
