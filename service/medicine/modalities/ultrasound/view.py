"""A heel's ultrasound in words: its numbers, its device, and where its index comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from service.language.formats import day, number
from service.language.locale import N_, _
from service.medicine.modalities.ultrasound.indices import Name, index
from service.medicine.modalities.ultrasound.schemas import Ultrasound
from service.medicine.modalities.wording import DEVICES, INDICES, SIDES

FORMULAE: Final[Mapping[Name, str]] = {
    "stiffness_index": N_("0.67 × BUA + 0.28 × SOS − 420 (Langton 1996)"),
    "qui": N_("0.41 × (BUA + SOS) − 571 (Hologic; agrees with Ponteggia 2003)"),
}


@dataclass(frozen=True, kw_only=True)
class Lines:
    """``numbers`` are what was measured, each with its unit; ``device`` what measured, where and
    when; ``formula`` how the index follows, empty where none does."""

    numbers: tuple[str, ...]
    device: str
    formula: str


def of(measured: Ultrasound) -> Lines:
    found = index(measured)
    formula = ""
    if found is not None and found.value is not None:
        formula = _(
            "%(index)s = %(formula)s = %(value)s, computed here.",
            index=_(INDICES[found.name]),
            formula=_(FORMULAE[found.name]),
            value=number(float(found.value), 1),
        )
    return Lines(
        numbers=tuple(_numbers(measured)), device=" · ".join(_device(measured)), formula=formula
    )


def _numbers(measured: Ultrasound) -> Iterator[str]:
    if measured.sos_m_s is not None:
        yield _("SOS %(value)s m/s", value=number(measured.sos_m_s, 1))
    if measured.bua_db_mhz is not None:
        yield _("BUA %(value)s dB/MHz", value=number(measured.bua_db_mhz, 1))
    if measured.stiffness_index is not None:
        yield _("stiffness index %(value)s", value=number(measured.stiffness_index, 1))
    if measured.qui is not None:
        yield _("QUI %(value)s", value=number(measured.qui, 1))


def _device(measured: Ultrasound) -> Iterator[str]:
    if measured.device != "other":
        yield _(DEVICES[measured.device])
    if measured.model is not None:
        yield measured.model
    if measured.serial is not None:
        yield measured.serial
    if measured.side is not None:
        yield _(SIDES[measured.side])
    if measured.measured_on is not None:
        yield day(measured.measured_on)
