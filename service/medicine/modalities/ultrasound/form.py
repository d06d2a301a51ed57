"""The form that a heel's ultrasound is entered in, and the way from its fields to its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from service.errors import Fault
from service.language.locale import N_, _
from service.medicine.modalities.ultrasound.schemas import Ultrasound, read
from service.medicine.modalities.wording import DEVICES, SIDES
from service.web.forms import Field, number, options

LABELS: Final[Mapping[str, str]] = {
    "device": N_("Device"),
    "model": N_("Model of the device"),
    "serial": N_("Serial number of the device"),
    "side": N_("Heel"),
    "measured_on": N_("Measured on"),
    "sos_m_s": N_("Speed of sound (SOS), m/s"),
    "bua_db_mhz": N_("Broadband ultrasound attenuation (BUA), dB/MHz"),
    "stiffness_index": N_("Stiffness index, as the device shows it"),
    "qui": N_("Quantitative ultrasound index (QUI), as the device shows it"),
}
_HINTS: Final[Mapping[str, str]] = {
    "device": N_("No formula and no limit goes from one device to another."),
    "stiffness_index": N_("Of an Achilles; left out, it is computed from SOS and BUA."),
    "qui": N_("Of a Sahara; left out, it is computed from SOS and BUA."),
}
_CHOSEN: Final[Mapping[str, Mapping[str, str]]] = {
    "device": {"": N_("Not given"), **DEVICES},
    "side": {"": N_("Not given"), **SIDES},
}
_NUMBERS: Final = ("sos_m_s", "bua_db_mhz", "stiffness_index", "qui")

Kind = Literal["text", "date", "select"]


@dataclass(frozen=True, kw_only=True)
class UltrasoundForm:
    """``version`` says what was kept when it was filled in."""

    id: str
    fields: tuple[Field, ...]
    faults: int
    other_error: str
    """What is wrong with no field of the form."""
    version: str
    kept: bool
    """Whether there is something to remove."""

    @classmethod
    def of(
        cls,
        id: str,
        sent: Mapping[str, str],
        version: str,
        *,
        faults: Sequence[Fault] = (),
        kept: bool = False,
    ) -> UltrasoundForm:
        """Return the form as it was sent, or as it is kept, and what was wrong with it."""
        allowed = {fault.field: fault.values["allowed"] for fault in faults}
        errors = {
            name: _("This cannot be taken. Allowed: %(allowed)s.", allowed=_(sentence))
            for name, sentence in allowed.items()
        }
        return cls(
            id=id,
            fields=tuple(_field(name, sent, errors.pop(name, "")) for name in LABELS),
            faults=len(faults),
            other_error=next(iter(errors.values()), ""),
            version=version,
            kept=kept,
        )


def parse(fields: Mapping[str, str]) -> Ultrasound:
    """Return the numbers in a form's fields. Raises :class:`UltrasoundError`."""
    given: dict[str, Any] = {
        name: number(value) if name in _NUMBERS else value.strip() for name, value in fields.items()
    }
    return read(given)


def fields_of(measured: Ultrasound | None) -> dict[str, str]:
    """Return what was measured as the form's fields, as :func:`parse` reads them."""
    if measured is None:
        return {}
    kept = measured.model_dump(mode="json", exclude_none=True)
    return {name: str(value) for name, value in kept.items()}


def _field(name: str, sent: Mapping[str, str], error: str) -> Field:
    value = sent.get(name, "")
    kind: Kind = "select" if name in _CHOSEN else "date" if name == "measured_on" else "text"
    return Field(
        name=name,
        id=name,
        label=_(LABELS[name]),
        kind=kind,
        value=value,
        options=options(_CHOSEN[name], value) if name in _CHOSEN else (),
        hint=_(_HINTS[name]) if name in _HINTS else "",
        error=error,
        inputmode="decimal" if name in _NUMBERS else "",
        required=name == "device",
    )
