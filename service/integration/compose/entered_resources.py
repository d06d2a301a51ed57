"""What people entered of other modalities as FHIR R4's resources: an Observation a number."""

from __future__ import annotations

from typing import Final

from service.exams.densitometer.concepts import SNOMED_LATERALITY
from service.integration.compose.entered import Number, Told, written
from service.integration.compose.resources import (
    DCM,
    OURS,
    SNOMED,
    TERMINOLOGY,
    UCUM,
    Json,
    coding,
    concept,
    instant,
    members,
    narrative,
)

_SYSTEMS: Final = {"DCM": DCM}
"""Of schemes that are not ours."""
_LABELS: Final = {
    "tag": [
        coding(OURS, "entered", "Entered by a person"),
        coding(OURS, "research", "Research use only"),
    ]
}
_IMAGING: Final = [{"coding": [coding(f"{TERMINOLOGY}/observation-category", "imaging")]}]


def observation(told: Told, number: Number) -> Json:
    """Return what the number says; of whom and within which study is the study's to say.

    It is preliminary also where a clinician has signed: what they have signed is the outcome.
    """
    return members(
        resourceType="Observation",
        meta=_LABELS,
        text=narrative(f"{told.name}: {written(number)}", told.whose),
        status="preliminary",
        category=_IMAGING,
        code=_code(number),
        effectiveDateTime=None if told.on is None else told.on.isoformat(),
        issued=None if told.entry is None else instant(told.entry.at),
        performer=[{"display": told.by}] if told.by else [],
        valueQuantity=_quantity(number),
        note=[{"text": told.whose}],
        bodySite={"coding": [coding(SNOMED, told.site[0])], "text": told.site[1]},
        method={"text": told.method},
        device={"display": told.device} if told.device else {},
        component=[
            *_side(told),
            *({"code": _code(one), "valueQuantity": _quantity(one)} for one in told.beside),
            *(
                {"code": concept(OURS, *name), "valueCodeableConcept": concept(OURS, *value)}
                for name, value in told.coded
            ),
        ],
    )


def _side(told: Told) -> list[Json]:
    if told.side is None:
        return []
    value, meaning = told.side
    return [
        {
            "code": {"coding": [coding(SNOMED, SNOMED_LATERALITY)], "text": "Laterality"},
            "valueCodeableConcept": {"coding": [coding(SNOMED, value)], "text": meaning},
        }
    ]


def _code(number: Number) -> Json:
    code = number.code
    return concept(_SYSTEMS.get(code.scheme, OURS), code.value, code.meaning)


def _quantity(number: Number) -> Json:
    unit = number.code.unit
    return {"value": number.value, "unit": unit, "system": UCUM, "code": unit}
