"""How modalities' numbers are coded in SR, FHIR and HL7: by a standard's code where one is known.

LOINC and DICOM have codes for attenuation in CT, and none that was found for a heel's ultrasound:
those are of our own scheme. Units are UCUM's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Scheme = Literal["DCM", "99OSTEOSERVE"]
OURS: Final[Scheme] = "99OSTEOSERVE"


@dataclass(frozen=True)
class Code:
    """A quantity: its value in a scheme, with its meaning, and UCUM's unit."""

    value: str
    scheme: Scheme
    meaning: str
    unit: str


ATTENUATION: Final = Code("112031", "DCM", "Attenuation Coefficient", "[hnsf'U]")
SOS: Final = Code("US_SOS", OURS, "Speed of sound at the heel", "m/s")
BUA: Final = Code("US_BUA", OURS, "Broadband ultrasound attenuation at the heel", "dB/MHz")
STIFFNESS_INDEX: Final = Code("US_SI", OURS, "Stiffness index of the heel", "1")
QUI: Final = Code("US_QUI", OURS, "Quantitative ultrasound index of the heel", "1")
