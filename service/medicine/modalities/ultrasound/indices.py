"""Indices of a heel's ultrasound, by the formula of the device's maker.

Stiffness index of GE Lunar's Achilles: 0.67 × BUA + 0.28 × SOS − 420 (Langton 1996, as several
texts restate it). Quantitative ultrasound index of Hologic's Sahara: 0.41 × (BUA + SOS) − 571; the
means that Ponteggia 2003 publishes of one Sahara agree with it (docs/domain.md §7.1). BUA in
dB/MHz, SOS in m/s; an index has no unit, and is no T-score. Arithmetic is decimal, and exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from service.medicine.modalities.ultrasound.schemas import Ultrasound

Name = Literal["stiffness_index", "qui"]

STIFFNESS: Final = (Decimal("0.67"), Decimal("0.28"), Decimal("-420"))
"""Factor of BUA, factor of SOS, and what is added."""
QUI: Final = (Decimal("0.41"), Decimal("0.41"), Decimal("-571"))

TOLERANCE: Final = Decimal(1)
"""How far a device's own index may be from the formula: it computes with decimals it does not
show, and shows whole numbers."""


@dataclass(frozen=True)
class Index:
    """``value`` by the formula, None without both SOS and BUA; ``shown`` by the device."""

    name: Name
    value: Decimal | None
    shown: Decimal | None

    @property
    def differs(self) -> bool:
        """Whether the device shows another index than its SOS and BUA make."""
        if self.value is None or self.shown is None:
            return False
        return abs(self.value - self.shown) > TOLERANCE

    @property
    def best(self) -> Decimal | None:
        """The device's own where it is known, else the formula's."""
        return self.value if self.shown is None else self.shown


def stiffness_index(bua: Decimal, sos: Decimal) -> Decimal:
    """Return the stiffness index; ``bua`` in dB/MHz, ``sos`` in m/s."""
    return _linear(STIFFNESS, bua, sos)


def quantitative_ultrasound_index(bua: Decimal, sos: Decimal) -> Decimal:
    """Return the QUI; ``bua`` in dB/MHz, ``sos`` in m/s."""
    return _linear(QUI, bua, sos)


def index(measured: Ultrasound) -> Index | None:
    """Return the index of the device that measured; None for one whose formula is not known."""
    if measured.device == "achilles":
        return _index(measured, "stiffness_index", STIFFNESS)
    return _index(measured, "qui", QUI) if measured.device == "sahara" else None


def _index(measured: Ultrasound, name: Name, by: tuple[Decimal, Decimal, Decimal]) -> Index:
    value = None
    if measured.bua_db_mhz is not None and measured.sos_m_s is not None:
        value = _linear(by, _exact(measured.bua_db_mhz), _exact(measured.sos_m_s))
    shown = getattr(measured, name)
    return Index(name, value, None if shown is None else _exact(shown))


def _linear(by: tuple[Decimal, Decimal, Decimal], bua: Decimal, sos: Decimal) -> Decimal:
    attenuation, speed, constant = by
    return attenuation * bua + speed * sos + constant


def _exact(value: float) -> Decimal:
    return Decimal(repr(value))
