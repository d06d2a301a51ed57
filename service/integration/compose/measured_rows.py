"""What scanners measured as OBX of HL7 2.5.1: a region's site, its numbers, and whose they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from service.exams.densitometer.concepts import SNOMED_LATERALITY
from service.integration.compose import wording
from service.integration.compose.measured import VERTEBRA, Site
from service.integration.hl7.encoding import composite, escape

SITE: Final = ("SITE", "Region that the scanner measured", wording.SCHEME)
WORDS: Final = ("SCANNER", "Measured by the scanner", wording.SCHEME)
_LATERALITY: Final = (SNOMED_LATERALITY, "Laterality", "SCT")
_VERTEBRA: Final = (*VERTEBRA, wording.SCHEME)
_METHOD: Final = composite("DXA", "As the scanner says", wording.SCHEME)


def measured_rows(site: Site, when: str) -> Iterator[dict[int, str]]:
    """Return the fields of a region's OBX; ``when`` the study was, where no object says.

    They are preliminary also where a clinician has signed: what they have signed is the outcome.
    """
    report = site.report
    around = {
        11: "P",
        14: (report.acquired_on or "").replace("-", "") or when,
        17: _METHOD,
        # Its vendor is too long for a namespace of 20 letters.
        18: "" if report.scanner is None else composite(site.machine),
    }
    for kind, name, value, unit in _told(site):
        yield {2: kind, 3: name, 5: value, 6: unit, **around}


def _told(site: Site) -> Iterator[tuple[str, str, str, str]]:
    where = site.code if site.snomed is None else (site.snomed, site.name)
    scheme = wording.SCHEME if site.snomed is None else "SCT"
    yield "CE", composite(*SITE), composite(*where, scheme), ""
    if site.side is not None:
        yield "CE", composite(*_LATERALITY), composite(*site.side, "SCT"), ""
    for one in site.vertebrae:
        yield "CE", composite(*_VERTEBRA), composite(*one, "SCT"), ""
    for number in site.numbers:
        ours = (*number.code, wording.SCHEME)
        loinc = () if number.loinc is None else (number.loinc, number.code[1], "LN")
        unit = (number.unit, "no units" if number.unit == "1" else number.unit, "UCUM")
        yield "NM", composite(*loinc, *ours), number.written, composite(*unit)
    yield "TX", composite(*WORDS), escape(site.sentence), ""
