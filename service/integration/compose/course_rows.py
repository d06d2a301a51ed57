"""A patient's course as OBX of HL7 2.5.1: change, rate and forecast, each with what it rests on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from service.integration.compose import wording
from service.integration.compose.course import EARLIER, VERDICT, Said
from service.integration.hl7.encoding import composite, escape

WORDS: Final = ("COURSE", "Course over time")


def course_rows(said: Said, when: str) -> Iterator[dict[int, str]]:
    """Return the fields of the OBX of one thing that is said; ``when`` the study was.

    They are preliminary also where a clinician has signed: what they have signed is the outcome.
    """
    whose = composite(*said.origin, wording.SCHEME)
    for kind, name, value, unit in _told(said, whose):
        ours = composite(*name, wording.SCHEME)
        yield {2: kind, 3: ours, 5: value, 6: unit, 11: "P", 14: when, 17: whose}


def _told(said: Said, whose: str) -> Iterator[tuple[str, tuple[str, str], str, str]]:
    for name, value, unit in said.numbers:
        called = composite(unit, "no units" if unit == "1" else unit, "UCUM")
        yield "NM", name, f"{value:g}", called
    if said.verdict is not None:
        yield "CE", VERDICT, composite(*said.verdict, wording.SCHEME), ""
    if said.earlier is not None:
        yield "DT", EARLIER, said.earlier.replace("-", ""), ""
    yield "CE", wording.ORIGIN, whose, ""
    yield "TX", WORDS, escape(f"{said.sentence} {said.beside}"), ""
