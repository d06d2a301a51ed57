"""What a heel's ultrasound reads, where a limit of its own device has a source or is the site's.

Never a class of the WHO's, which is of DXA's T-scores at spine, hip and forearm; never by another
device's limit (10.1007/BF02672504).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from service.medicine.modalities.settings import ModalitySettings
from service.medicine.modalities.ultrasound.indices import index
from service.medicine.modalities.ultrasound.schemas import Ultrasound
from service.medicine.modalities.voice import Code, Reading, Voice

SAHARA_SOS: Final = 1517.7
SAHARA_BUA: Final = 59.5
"""Cut-offs in m/s and dB/MHz of Japanese women, for osteoporosis at spine or hip: sensitivity .65
and .66, specificity .65 and .69 (JPOS, PubMed 12200654)."""


def voice(measured: Ultrasound | None, settings: ModalitySettings) -> Voice:
    """Return the word of ``measured``; absent where nothing was."""
    if measured is None:
        return Voice(source="ultrasound")
    found = index(measured)
    notes: list[Code] = ["index_differs"] if found is not None and found.differs else []
    reading, note = _read(measured, settings)
    return Voice(source="ultrasound", present=True, reading=reading, notes=(*notes, note))


def _read(measured: Ultrasound, settings: ModalitySettings) -> tuple[Reading | None, Code]:
    found = index(measured)
    limit = {"achilles": settings.ultrasound_low_si, "sahara": settings.ultrasound_low_qui}.get(
        measured.device
    )
    if limit is not None and found is not None:
        if found.best is None:
            return None, "index_not_known"
        return "low" if found.best < Decimal(repr(limit)) else "not_low", "cut_off_of_site"
    if measured.device != "sahara":
        return None, "no_limit_for_device"
    below = [
        value < limit
        for value, limit in (
            (measured.sos_m_s, SAHARA_SOS),
            (measured.bua_db_mhz, SAHARA_BUA),
        )
        if value is not None
    ]
    if len(below) < 2:
        return None, "index_not_known"
    if all(below):
        return "low", "cut_offs_of_others"
    return "between" if any(below) else "not_low", "cut_offs_of_others"
