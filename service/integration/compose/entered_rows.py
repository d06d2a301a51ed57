"""What people entered of other modalities as OBX of HL7 2.5.1: place, numbers, whose they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from service.exams.densitometer.concepts import SNOMED_LATERALITY
from service.integration.compose import wording
from service.integration.compose.entered import Number, Told
from service.integration.hl7.encoding import composite, escape

WORDS: Final = ("ENTERED", "Of another modality, as entered", wording.SCHEME)
_SITE: Final = ("363698007", "Finding site", "SCT")
_LATERALITY: Final = (SNOMED_LATERALITY, "Laterality", "SCT")


def entered_rows(told: Told) -> Iterator[dict[int, str]]:
    """Return the fields of a modality's OBX.

    They are preliminary also where a clinician has signed: what they have signed is the outcome.
    """
    around = {
        11: "P",
        14: "" if told.on is None else f"{told.on:%Y%m%d}",
        17: composite(*told.origin, wording.SCHEME),
        18: composite(told.device) if told.device else "",
    }
    for kind, name, value, unit in _told(told):
        yield {2: kind, 3: composite(*name), 5: value, 6: unit, **around}


def _told(told: Told) -> Iterator[tuple[str, tuple[str, str, str], str, str]]:
    yield "CE", _SITE, composite(*told.site, "SCT"), ""
    if told.side is not None:
        yield "CE", _LATERALITY, composite(*told.side, "SCT"), ""
    for number in (*told.numbers, *told.beside):
        code = number.code
        yield "NM", (code.value, code.meaning, code.scheme), f"{number.value:.1f}", _unit(number)
    for name, value in told.coded:
        yield "CE", (*name, wording.SCHEME), composite(*value, wording.SCHEME), ""
    whose = composite(*told.origin, wording.SCHEME)
    yield "CE", (*wording.ORIGIN, wording.SCHEME), whose, ""
    yield "TX", WORDS, escape(told.sentence), ""


def _unit(number: Number) -> str:
    unit = number.code.unit
    return composite(unit, "no units" if unit == "1" else unit, "UCUM")
