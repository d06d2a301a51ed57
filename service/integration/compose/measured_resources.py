"""What scanners measured as FHIR R4's resources: an Observation a number, a Device a scanner."""

from __future__ import annotations

from typing import Final

from service.exams.parts import Scanner
from service.integration.compose.measured import VERTEBRA, Number, Site
from service.integration.compose.observations import (
    anatomical,
    laterality,
    preliminary,
    quantity,
)
from service.integration.compose.resources import (
    LOINC,
    OURS,
    SNOMED,
    Json,
    coding,
    identifier,
    members,
    narrative,
)
from service.integration.compose.uids import uid
from service.integration.compose.wording import Coded

_TOLD: Final[Coded] = ("scanner", "Said by a scanner")


def observation(site: Site, number: Number) -> Json:
    """Return what the number says; of whom, when and by what is the study's to say."""
    value, meaning = number.code
    loinc = [] if number.loinc is None else [coding(LOINC, number.loinc)]
    return preliminary(
        _TOLD,
        {"coding": [*loinc, coding(OURS, value, meaning)], "text": meaning},
        narrative(f"{site.name}: {number.said}", site.whose),
        valueQuantity=quantity(number.value, number.unit),
        note=site.whose,
        bodySite=members(
            coding=[] if site.snomed is None else [coding(SNOMED, site.snomed)], text=site.name
        ),
        method={"text": f"DXA, as the scanner's {site.report.source} says"},
        component=[*laterality(site.side), *(_vertebra(one) for one in site.vertebrae)],
    )


def _vertebra(one: Coded) -> Json:
    code, meaning = VERTEBRA
    name = {"coding": [coding(OURS, code)], "text": meaning}
    return {"code": name, "valueCodeableConcept": anatomical(one)}


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
