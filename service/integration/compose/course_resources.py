"""A patient's course as FHIR R4's resources: an Observation each for change, rate and forecast."""

from __future__ import annotations

from typing import Final

from service.integration.compose.course import EARLIER, STUDIES, VERDICT, Quantity, Said
from service.integration.compose.resources import (
    OURS,
    TERMINOLOGY,
    UCUM,
    Json,
    coding,
    concept,
    members,
    narrative,
)
from service.integration.ledger.schemas import MANUFACTURER

_RESEARCH: Final = coding(OURS, "research", "Research use only")
_COMPUTED: Final = coding(OURS, "computed", "Computed of what scanners measured")
_MODELLED: Final = coding(OURS, "ai", "Said by a model")
_IMAGING: Final = [{"coding": [coding(f"{TERMINOLOGY}/observation-category", "imaging")]}]


def observation(said: Said) -> Json:
    """Return what is said; of whom, when and within which study is the study's to say."""
    value = {} if said.value is None else _quantity(said.value)
    verdict = None if said.verdict is None else concept(OURS, *said.verdict)
    return members(
        resourceType="Observation",
        meta={"tag": [_MODELLED if said.is_modelled else _COMPUTED, _RESEARCH]},
        text=narrative(said.sentence, said.beside),
        status="preliminary",
        category=_IMAGING,
        code=concept(OURS, *said.code),
        performer=[{"display": f"{MANUFACTURER}, {'a model' if said.is_modelled else 'computed'}"}],
        valueQuantity=value,
        note=[{"text": said.beside}],
        component=[
            *(
                {"code": concept(OURS, *one[0]), "valueQuantity": _quantity(one)}
                for one in said.quantities
            ),
            *_component(VERDICT, valueCodeableConcept=verdict),
            *_component(EARLIER, valueDateTime=said.earlier),
            *_component(STUDIES, valueInteger=said.studies),
        ],
    )


def _component(name: tuple[str, str], **value: object) -> list[Json]:
    if None in value.values():
        return []
    return [{"code": concept(OURS, *name), **value}]


def _quantity(one: Quantity) -> Json:
    _, value, unit = one
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}
