"""What people entered of other modalities as FHIR R4's resources: an Observation a number."""

from __future__ import annotations

from typing import Final

from service.integration.compose.entered import Number, Told, written
from service.integration.compose.observations import (
    ENTERED,
    anatomical,
    coded,
    laterality,
    preliminary,
    quantity,
)
from service.integration.compose.resources import DCM, OURS, Json, concept, instant, narrative

_SYSTEMS: Final = {"DCM": DCM}
"""Of schemes that are not ours."""


def observation(told: Told, number: Number) -> Json:
    """Return what the number says; of whom and within which study is the study's to say."""
    return preliminary(
        ENTERED,
        _code(number),
        narrative(f"{told.name}: {written(number)}", told.whose),
        effectiveDateTime=None if told.on is None else told.on.isoformat(),
        issued=None if told.entry is None else instant(told.entry.at),
        performer=[{"display": told.by}] if told.by else [],
        valueQuantity=_quantity(number),
        note=told.whose,
        bodySite=anatomical(told.site),
        method={"text": told.method},
        device={"display": told.device} if told.device else {},
        component=[
            *laterality(told.side),
            *({"code": _code(one), "valueQuantity": _quantity(one)} for one in told.beside),
            *(coded(name, value) for name, value in told.coded),
        ],
    )


def _code(number: Number) -> Json:
    code = number.code
    return concept(_SYSTEMS.get(code.scheme, OURS), code.value, code.meaning)


def _quantity(number: Number) -> Json:
    return quantity(number.value, number.code.unit)
