"""Value objects of a heel's ultrasound, as entered: what the device shows, and which device.

All ranges are of what is plausible (docs/domain.md §7.1); anything else is taken for a slip of the
keyboard.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from service.errors import Fault, FieldsError
from service.language.locale import N_
from service.medicine.schemas import Part

Device = Literal["achilles", "sahara", "other"]
"""GE Lunar Achilles, Hologic Sahara; no formula and no cut-off goes from one to another."""

Side = Literal["left", "right"]

SOS_RANGE: Final = (1400.0, 1800.0)
"""Metres a second at the heel."""
BUA_RANGE: Final = (5.0, 200.0)
"""Decibels a megahertz at the heel."""
INDEX_RANGE: Final = (0.0, 200.0)
EARLIEST: Final = date(1984, 1, 1)
"""The year in which attenuation at the heel was first proposed (Langton)."""

ALLOWED: Final[Mapping[str, str]] = {
    "device": N_("achilles, sahara or other"),
    "model": N_("1 to 32 printable characters; needed for another device"),
    "serial": N_("1 to 32 printable characters"),
    "side": N_("left or right"),
    "measured_on": N_("a date as YYYY-MM-DD, from 1984-01-01 to today"),
    "sos_m_s": N_("a number from 1400 to 1800, in m/s, at most one decimal"),
    "bua_db_mhz": N_("a number from 5 to 200, in dB/MHz, at most one decimal"),
    "stiffness_index": N_(
        "a number from 0 to 200, at most one decimal, of an Achilles or another device"
    ),
    "qui": N_("a number from 0 to 200, at most one decimal, of a Sahara or another device"),
    "body": N_("at least one of SOS, BUA, stiffness index and QUI"),
}
"""Every field with what it takes: in messages, on the page and in the API's description."""


class UltrasoundError(FieldsError):
    """The numbers cannot be taken; each fault's ``values`` say what is allowed."""

    code = "invalid_ultrasound"


def _one_decimal(value: float) -> float:
    exponent = Decimal(repr(value)).normalize().as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -1:
        raise ValueError("too many decimals")
    return value


def _tidy(value: object) -> object:
    if not isinstance(value, str):
        return value
    return " ".join(unicodedata.normalize("NFC", value).split())


def _printable(value: str) -> str:
    if not value.isprintable():
        raise ValueError("not printable")
    return value


def _past(value: date) -> date:
    # East of Greenwich it may be tomorrow already.
    if not EARLIEST <= value <= datetime.now(UTC).date() + timedelta(days=1):
        raise ValueError("not a day on which this can have been measured")
    return value


_OneDecimal: Final = AfterValidator(_one_decimal)
Speed = Annotated[float, Field(ge=SOS_RANGE[0], le=SOS_RANGE[1], allow_inf_nan=False), _OneDecimal]
Attenuation = Annotated[
    float, Field(ge=BUA_RANGE[0], le=BUA_RANGE[1], allow_inf_nan=False), _OneDecimal
]
IndexValue = Annotated[
    float, Field(ge=INDEX_RANGE[0], le=INDEX_RANGE[1], allow_inf_nan=False), _OneDecimal
]
Short = Annotated[
    str,
    BeforeValidator(_tidy),
    StringConstraints(min_length=1, max_length=32),
    AfterValidator(_printable),
]


def _about(name: str) -> str:
    return ALLOWED[name][0].upper() + ALLOWED[name][1:] + "."


class Ultrasound(Part):
    """What was measured at one heel. One number at least; no class of any kind."""

    device: Device = Field(description=_about("device"), examples=["achilles"])
    model: Short | None = Field(None, description=_about("model"), examples=["Achilles EXPII"])
    serial: Short | None = Field(None, description=_about("serial"))
    side: Side | None = Field(None, description=_about("side") + " Heels differ.")
    measured_on: Annotated[date, AfterValidator(_past)] | None = Field(
        None, description=_about("measured_on"), examples=["2025-11-03"]
    )
    sos_m_s: Speed | None = Field(
        None, description="Speed of sound. " + _about("sos_m_s"), examples=[1531.2]
    )
    bua_db_mhz: Attenuation | None = Field(
        None,
        description="Broadband ultrasound attenuation. " + _about("bua_db_mhz"),
        examples=[108.4],
    )
    stiffness_index: IndexValue | None = Field(
        None, description="As the device shows it. " + _about("stiffness_index"), examples=[81.4]
    )
    qui: IndexValue | None = Field(
        None, description="Quantitative ultrasound index, as the device shows it. " + _about("qui")
    )

    @model_validator(mode="after")
    def _together(self) -> Ultrasound:
        if (self.sos_m_s, self.bua_db_mhz, self.stiffness_index, self.qui) == (None,) * 4:
            raise ValueError("no number")
        return self


_FOREIGN: Final[Mapping[Device, tuple[str, ...]]] = {
    "achilles": ("qui",), "sahara": ("stiffness_index",), "other": (),
}  # fmt: skip
"""Indices that a device does not have."""


def read(sent: Mapping[str, Any]) -> Ultrasound:
    """Return what was ``sent``, as JSON has it. Raises :class:`UltrasoundError`."""
    try:
        # As JSON, dates may be what JSON has for them while all else stays strict.
        found = Ultrasound.model_validate_json(json.dumps(sent), strict=True)
    except ValidationError as error:
        told = error.errors(include_url=False, include_context=False, include_input=False)
        faults = {_field(one["loc"]): one["type"] for one in told}
        raise UltrasoundError(_fault(name, code) for name, code in faults.items()) from None
    against = [
        _fault(name, "foreign_index")
        for name in _FOREIGN[found.device]
        if getattr(found, name) is not None
    ]
    if found.device == "other" and found.model is None:
        against.append(_fault("model", "missing"))
    if against:
        raise UltrasoundError(against)
    return found


def _field(place: tuple[int | str, ...]) -> str:
    name = str(place[0]) if place else "body"
    return name if name in ALLOWED else "unknown field"


def _fault(field: str, code: str) -> Fault:
    allowed = ALLOWED.get(field) or ", ".join(Ultrasound.model_fields)
    return Fault(field, code, "allowed is %(allowed)s", {"allowed": allowed})
