"""What a slice of CT reads by its limits: never a class, and nothing where it is not calibrated.

Limits of 110 and 160 HU: at or below the first more than 90 % specific, above the second 90 %
sensitive for osteoporosis by DXA (Pickhardt 2013, 10.7326/0003-4819-158-8-201304160-00003), at
120 kV. Other voltages shift attenuation (Garner 2017, AJR), contrast medium raises it, and other
scanners have other limits (169 and 104 HU, 10.1186/s13244-023-01400-1): docs/domain.md §7.2.
"""

from __future__ import annotations

from typing import Final

from service.medicine.modalities.ct.schemas import Attenuation
from service.medicine.modalities.settings import ModalitySettings
from service.medicine.modalities.voice import Code, Reading, Voice

LIMITS: Final = (110.0, 160.0)
VOLTAGE: Final = 120.0
"""kV for which limits were found."""


def voice(measured: Attenuation | None, settings: ModalitySettings) -> Voice:
    """Return the word of ``measured``; absent where nothing was."""
    if measured is None:
        return Voice(source="ct")
    against: list[Code] = []
    if measured.contrast == "given":
        against.append("contrast_given")
    if measured.scan.voltage_kv is None:
        against.append("voltage_not_known")
    elif measured.scan.voltage_kv != VOLTAGE:
        against.append("voltage_differs")
    notes: list[Code] = ["limits_of_site" if settings.ct_site_limits else "limits_of_others"]
    if measured.contrast == "unknown":
        notes.append("contrast_not_known")
    reading: Reading | None = None
    if not against:
        reading = _read(measured.mean_hu, settings)
    return Voice(
        source="ct", present=True, reading=reading, against=tuple(against), notes=tuple(notes)
    )


def _read(mean: float, settings: ModalitySettings) -> Reading:
    if mean <= settings.ct_low_hu:
        return "low"
    return "between" if mean <= settings.ct_high_hu else "not_low"
