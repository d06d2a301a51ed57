"""What facts of an exam are made of: texts, vertebrae, a machine; and what each field takes."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Final, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

from service.language.locale import N_

Vertebra = Literal["L1", "L2", "L3", "L4"]

VERTEBRAE: Final[tuple[Vertebra, ...]] = get_args(Vertebra)

BesideSpine = Literal["L1", "L2", "L3", "L4", "total_hip", "femoral_neck", "one_third_radius"]

BESIDE_SPINE: Final[tuple[BesideSpine, ...]] = get_args(BesideSpine)
"""Regions whose numbers are entered beside those of the lumbar spine."""

SIDED: Final[tuple[BesideSpine, ...]] = ("total_hip", "femoral_neck", "one_third_radius")
"""Those of them that a body has two of."""

_OF_A_REGION: Final[Mapping[str, str]] = {
    "": N_("at least one of BMD, T-score and Z-score"),
    ".bmd_g_cm2": N_("a number from 0.1 to 3.0, in g/cm², at most three decimals"),
    ".t_score": N_("a number from -6.0 to 6.0, one decimal, as the scanner reports it"),
    ".z_score": N_("a number from -6.0 to 6.0, one decimal, as the scanner reports it"),
    ".side": N_("left or right, beside a number"),
}

ALLOWED: Final[Mapping[str, str]] = {
    "patient_reference": N_("1 to 64 printable characters"),
    "patient_issuer": N_("1 to 64 printable characters, beside a patient reference"),
    "acquired_on": N_("a date as YYYY-MM-DD, from 1987-01-01 to today"),
    "scanner": N_("an object with vendor and serial"),
    "scanner.vendor": N_("1 to 32 printable characters"),
    "scanner.serial": N_("1 to 32 printable characters"),
    "bmd_g_cm2": N_("a number from 0.422 to 1.901, in g/cm², at most three decimals"),
    "vertebrae": N_("one to four of L1, L2, L3 and L4, each at most once"),
    "t_score": N_("a number from -6.0 to 6.0, one decimal, as the scanner reports it"),
    "z_score": N_("a number from -6.0 to 6.0, one decimal, as the scanner reports it"),
    "regions": N_("at least one of L1, L2, L3, L4, total_hip, femoral_neck and one_third_radius"),
    **{
        f"regions.{region}{part}": takes
        for region in BESIDE_SPINE
        for part, takes in _OF_A_REGION.items()
        if part != ".side" or region in SIDED
    },
    "sex": N_("female or male"),
    "age_years": N_("a whole number from 18 to 120"),
    "weight_kg": N_("a number from 25 to 300, in kg, at most one decimal"),
    "drug": N_(
        "alendronate, risedronate, ibandronate, ibandronate_iv, zoledronate, denosumab, "
        "raloxifene, hormone_therapy, teriparatide, abaloparatide, romosozumab or none"
    ),
    "drug_since": N_("a date as YYYY-MM-DD, not after the scan, beside a drug"),
    "fracture": N_("true or false"),
}
"""Every field with what it takes: in messages, on the page and in the API's description."""


def _tidy(value: object) -> object:
    """One form for one text: composed characters, single spaces, none at the ends."""
    if not isinstance(value, str):
        return value
    return " ".join(unicodedata.normalize("NFC", value).split(" ")).strip(" ")


def _printable(value: str) -> str:
    if not value.isprintable():
        raise ValueError("not printable")
    return " ".join(value.split())


_Tidy: Final = BeforeValidator(_tidy)
_Printable: Final = AfterValidator(_printable)

Reference = Annotated[str, _Tidy, StringConstraints(min_length=1, max_length=64), _Printable]
Short = Annotated[str, _Tidy, StringConstraints(min_length=1, max_length=32), _Printable]
"""Texts that stay as entered but for their blanks."""


def about(name: str) -> str:
    return ALLOWED[name][0].upper() + ALLOWED[name][1:] + "."


def decimals(most: int) -> AfterValidator:
    """Return what refuses a number with more than ``most`` decimals."""

    def check(value: float) -> float:
        exponent = Decimal(repr(value)).normalize().as_tuple().exponent
        if not isinstance(exponent, int) or -exponent > most:
            raise ValueError("too many decimals")
        return value

    return AfterValidator(check)


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Scanner(Part):
    """One machine. Two studies are of the same only when vendor and serial number agree."""

    vendor: Short = Field(description=about("scanner.vendor"), examples=["Hologic"])
    serial: Short = Field(description=about("scanner.serial"), examples=["DX-0417"])

    @property
    def identity(self) -> tuple[str, str]:
        return self.vendor.casefold(), self.serial.casefold()
