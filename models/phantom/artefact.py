"""What can spoil a spine scan, under the codes by which NHANES marks a vertebra invalid."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from models.phantom.reference import OSTEOPHYTE_MAX, Range


class Artefact(StrEnum):
    """One artefact an image; its effect on BMD is in the phantom's truth.

    ===============  ====  ==================================================================
    ``NONE``         0
    ``GAS``          0     large bowel gas; the bone is as it was
    ``OBJECT``       1     button, ring or zip left on: BMD up
    ``CONTRAST``     1     contrast medium in the bowel over the spine: BMD up
    ``IMPLANT``      2     pedicle screws and rods in two vertebrae: BMD up
    ``OBESITY``      3     noise drowns the bone; BMD as drawn, no vertebra usable
    ``SCAN_AREA``    4     the field ends within L1 or L4
    ``MOTION``       5     rows shifted while scanning; BMD as drawn
    ``OSTEOPHYTE``   6     spurs and sclerosis at an end-plate: BMD up
    ``FRACTURE``     6     less area, same mineral: BMD up
    ``LAMINECTOMY``  6     posterior elements gone: BMD down. NHANES has no code of its own
    ===============  ====  ==================================================================
    """

    NONE = "none"
    GAS = "gas"
    OBJECT = "object"
    CONTRAST = "contrast"
    IMPLANT = "implant"
    OBESITY = "obesity"
    SCAN_AREA = "scan_area"
    MOTION = "motion"
    OSTEOPHYTE = "osteophyte"
    FRACTURE = "fracture"
    LAMINECTOMY = "laminectomy"

    @property
    def code(self) -> int:
        """The NHANES invalidity code: 0 valid, 1 object … 6 degenerative or fractured."""
        return _CODES[self]


_CODES: Final = {
    Artefact.NONE: 0,
    Artefact.GAS: 0,
    Artefact.OBJECT: 1,
    Artefact.CONTRAST: 1,
    Artefact.IMPLANT: 2,
    Artefact.OBESITY: 3,
    Artefact.SCAN_AREA: 4,
    Artefact.MOTION: 5,
    Artefact.OSTEOPHYTE: 6,
    Artefact.FRACTURE: 6,
    Artefact.LAMINECTOMY: 6,
}

WEIGHTS: Final = {
    Artefact.GAS: 2,
    Artefact.OBJECT: 1,
    Artefact.CONTRAST: 1,
    Artefact.IMPLANT: 1,
    Artefact.OBESITY: 1,
    Artefact.SCAN_AREA: 1,
    Artefact.MOTION: 1,
    Artefact.OSTEOPHYTE: 8,
    Artefact.FRACTURE: 3,
    Artefact.LAMINECTOMY: 1,
}
"""How often each is drawn when an image has one. Degeneration leads in NHANES; the rest is [K]."""

ADDED: Final[dict[Artefact, Range]] = {
    Artefact.OSTEOPHYTE: (0.07, OSTEOPHYTE_MAX),
    Artefact.IMPLANT: (0.5, 1.2),
    Artefact.OBJECT: (0.15, 0.5),
    Artefact.CONTRAST: (0.10, 0.40),
}
"""BMD added to the vertebra it sits on, as a share. Only the osteophyte's is published."""
