"""A patient's course as FHIR R4's resources: an Observation each for change, rate and forecast."""

from __future__ import annotations

from typing import Final

from service.integration.compose.course import EARLIER, STUDIES, VERDICT, Quantity, Said
from service.integration.compose.observations import coded, measured, preliminary, quantity
from service.integration.compose.resources import OURS, Json, concept, narrative
from service.integration.compose.wording import Coded
from service.integration.ledger.schemas import MANUFACTURER

_COMPUTED: Final[Coded] = ("computed", "Computed of what scanners measured")
_MODELLED: Final[Coded] = ("ai", "Said by a model")


def observation(said: Said) -> Json:
    """Return what is said; of whom, when and within which study is the study's to say."""
    return preliminary(
        _MODELLED if said.is_modelled else _COMPUTED,
        concept(OURS, *said.code),
        narrative(said.sentence, said.beside),
        performer=[{"display": f"{MANUFACTURER}, {'a model' if said.is_modelled else 'computed'}"}],
        valueQuantity={} if said.value is None else _quantity(said.value),
        note=said.beside,
        component=[
            *(measured(*one) for one in said.quantities),
            *([] if said.verdict is None else [coded(VERDICT, said.verdict)]),
            *_component(EARLIER, valueDateTime=said.earlier),
            *_component(STUDIES, valueInteger=said.studies),
        ],
    )


def _component(name: Coded, **value: object) -> list[Json]:
    if None in value.values():
        return []
    return [{"code": concept(OURS, *name), **value}]


def _quantity(one: Quantity) -> Json:
    _, value, unit = one
    return quantity(value, unit)
