"""Heights by kept points as FHIR R4's resources: an Observation a vertebra."""

from __future__ import annotations

from service.integration.compose.heights import GRADE, PIXELS, SITES, Told
from service.integration.compose.observations import (
    ENTERED,
    anatomical,
    coded,
    measured,
    preliminary,
)
from service.integration.compose.resources import OURS, Json, concept, instant, narrative


def observation(told: Told) -> Json:
    """Return what is told of a vertebra; of whom and within which study is the study's to say."""
    return preliminary(
        ENTERED,
        concept(OURS, *GRADE),
        narrative(told.sentence),
        issued=instant(told.at),
        performer=[{"display": told.by}] if told.by else [],
        valueCodeableConcept=concept(OURS, *told.grade),
        note=told.whose,
        bodySite=anatomical((SITES[told.level], told.level)),
        method={"text": f"Six points on a lateral image: {told.origin[1].lower()}"},
        component=[
            *(measured(name, value, "px", PIXELS) for name, value in told.heights),
            *(measured(name, value, "1") for name, value in told.losses),
            *(coded(name, value) for name, value in told.coded),
        ],
    )
