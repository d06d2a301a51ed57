"""FHIR R4's Observation, as far as results share it: what is preliminary, and its components."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from service.exams.densitometer.concepts import SNOMED_LATERALITY
from service.integration.compose.resources import (
    OURS,
    SNOMED,
    TERMINOLOGY,
    UCUM,
    Json,
    coding,
    concept,
    members,
)
from service.integration.compose.wording import Coded

IMAGING: Final = [{"coding": [coding(f"{TERMINOLOGY}/observation-category", "imaging")]}]
RESEARCH: Final = coding(OURS, "research", "Research use only")
ENTERED: Final[Coded] = ("entered", "Entered by a person")
"""Whose what a person has entered is, as a tag."""


def preliminary(
    origin: Coded, code: Json, text: Json, *, note: str, component: Iterable[Json], **more: Any
) -> Json:
    """Return an Observation without subject and date, which are the study's to say.

    ``origin`` is whose it is, as a tag of ours. It is preliminary also where a clinician has
    signed: what they have signed is the outcome.
    """
    return members(
        resourceType="Observation",
        meta={"tag": [coding(OURS, *origin), RESEARCH]},
        text=text,
        status="preliminary",
        category=IMAGING,
        code=code,
        **more,
        note=[{"text": note}],
        component=list(component),
    )


def quantity(value: float, unit: str, code: str | None = None) -> Json:
    """Return a number with its unit; ``code`` is UCUM's where that is not how it is written."""
    return {
        "value": value,
        "unit": unit,
        "system": UCUM,
        "code": unit if code is None else code,
    }


def measured(name: Coded, value: float, unit: str, code: str | None = None) -> Json:
    """Return a component of a code of ours with a number."""
    return {"code": concept(OURS, *name), "valueQuantity": quantity(value, unit, code)}


def coded(name: Coded, value: Coded) -> Json:
    """Return a component of a code of ours with another."""
    return {"code": concept(OURS, *name), "valueCodeableConcept": concept(OURS, *value)}


def anatomical(value: Coded) -> Json:
    """Return a concept of SNOMED by its code and our word for it."""
    code, meaning = value
    return {"coding": [coding(SNOMED, code)], "text": meaning}


def laterality(side: Coded | None) -> list[Json]:
    """Return the component that says which side it is of; none where it is of neither."""
    if side is None:
        return []
    name = anatomical((SNOMED_LATERALITY, "Laterality"))
    return [{"code": name, "valueCodeableConcept": anatomical(side)}]
