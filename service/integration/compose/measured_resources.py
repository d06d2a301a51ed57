"""What scanners measured as FHIR R4's resources: an Observation a number, a Device a scanner."""

from __future__ import annotations

from typing import Final

from service.exams.densitometer.concepts import SNOMED_LATERALITY
from service.exams.parts import Scanner
from service.integration.compose.measured import VERTEBRA, Number, Site
from service.integration.compose.resources import (
    LOINC,
    OURS,
    SNOMED,
    TERMINOLOGY,
    UCUM,
    Json,
    coding,
    identifier,
    members,
    narrative,
)
from service.integration.compose.uids import uid

_LABELS: Final = {
    "tag": [
        coding(OURS, "scanner", "Said by a scanner"),
        coding(OURS, "research", "Research use only"),
    ]
}
_IMAGING: Final = [{"coding": [coding(f"{TERMINOLOGY}/observation-category", "imaging")]}]


def observation(site: Site, number: Number) -> Json:
    """Return what the number says; of whom, when and by what is the study's to say.

    It is preliminary also where a clinician has signed: what they have signed is the outcome.
    """
    value, meaning = number.code
    loinc = [] if number.loinc is None else [coding(LOINC, number.loinc)]
    return members(
        resourceType="Observation",
        meta=_LABELS,
        text=narrative(f"{site.name}: {number.said}", site.whose),
        status="preliminary",
        category=_IMAGING,
        code={"coding": [*loinc, coding(OURS, value, meaning)], "text": meaning},
        valueQuantity={
            "value": number.value,
            "unit": number.unit,
            "system": UCUM,
            "code": number.unit,
        },
        note=[{"text": site.whose}],
        bodySite=members(
            coding=[] if site.snomed is None else [coding(SNOMED, site.snomed)], text=site.name
        ),
        method={"text": f"DXA, as the scanner's {site.report.source} says"},
        component=[
            *(_component(SNOMED, (SNOMED_LATERALITY, "Laterality"), one) for one in _sides(site)),
            *(_component(OURS, VERTEBRA, one) for one in site.vertebrae),
        ],
    )


def _sides(site: Site) -> list[tuple[str, str]]:
    return [] if site.side is None else [site.side]


def _component(system: str, name: tuple[str, str], value: tuple[str, str]) -> Json:
    code, meaning = name
    return {
        "code": {"coding": [coding(system, code)], "text": meaning},
        "valueCodeableConcept": {"coding": [coding(SNOMED, value[0])], "text": value[1]},
    }


def number_of(scanner: Scanner) -> str:
    """Return the identifier of a machine, the same whatever study it is of."""
    return f"urn:oid:{uid(chr(10).join(('scanner', *scanner.identity)))}"


def device(scanner: Scanner, model: str | None) -> Json:
    """Return the machine that measured."""
    return members(
        resourceType="Device",
        text=narrative(f"Bone densitometer {scanner.vendor} {scanner.serial}"),
        identifier=[identifier(number_of(scanner))],
        manufacturer=scanner.vendor,
        serialNumber=scanner.serial,
        deviceName=[{"name": model, "type": "model-name"}] if model else [],
        type={"text": "Bone densitometer"},
    )
