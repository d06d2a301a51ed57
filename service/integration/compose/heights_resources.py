"""Heights by kept points as FHIR R4's resources: an Observation a vertebra."""

from __future__ import annotations

from typing import Final

from service.integration.compose.heights import GRADE, PIXELS, SITES, Told
from service.integration.compose.resources import (
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

_LABELS: Final = {
    "tag": [
        coding(OURS, "entered", "Entered by a person"),
        coding(OURS, "research", "Research use only"),
    ]
}
_IMAGING: Final = [{"coding": [coding(f"{TERMINOLOGY}/observation-category", "imaging")]}]


def observation(told: Told) -> Json:
    """Return what is told of a vertebra; of whom and within which study is the study's to say.

    It is preliminary also where a clinician has signed: what they have signed is the outcome.
    """
    return members(
        resourceType="Observation",
        meta=_LABELS,
        text=narrative(told.sentence),
        status="preliminary",
        category=_IMAGING,
        code=concept(OURS, *GRADE),
        issued=instant(told.at),
        performer=[{"display": told.by}] if told.by else [],
        valueCodeableConcept=concept(OURS, *told.grade),
        note=[{"text": told.whose}],
        bodySite={"coding": [coding(SNOMED, SITES[told.level])], "text": told.level},
        method={"text": f"Six points on a lateral image: {told.origin[1].lower()}"},
        component=[
            *(
                {"code": concept(OURS, *name), "valueQuantity": _quantity(value, "px", PIXELS)}
                for name, value in told.heights
            ),
            *(
                {"code": concept(OURS, *name), "valueQuantity": _quantity(value, "1", "1")}
                for name, value in told.losses
            ),
            *(
                {"code": concept(OURS, *name), "valueCodeableConcept": concept(OURS, *value)}
                for name, value in told.coded
            ),
        ],
    )


def _quantity(value: float, unit: str, code: str) -> Json:
    return {"value": value, "unit": unit, "system": UCUM, "code": code}
