"""What subgroups are made of: a person's sex and age band, the scanner, the site, the artefact.

Each parser takes the text of a file and returns one of a few words, "" for what is not known, or
raises :class:`ValueError` with what is allowed. Messages never repeat the text: beside a scan it
may say who the patient is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

AGE_BANDS: Final = ((50, "<50"), (60, "50-59"), (70, "60-69"), (80, "70-79"))
"""Upper ends, not included. All of 80 and over are one band: exact ages above 89 identify people
(domain.md §5.2). Below 50 the classes of T-scores do not apply (§1.1)."""
OLDEST: Final = 120
SEXES: Final = {
    "f": "female",
    "female": "female",
    "m": "male",
    "male": "male",
    "o": "other",
    "other": "other",
}
DICOM_AGE: Final = re.compile(r"(\d{3})([DWMY])", re.ASCII)
YEARS: Final = {"D": 365.25, "W": 52.18, "M": 12.0, "Y": 1.0}
CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,31}", re.ASCII)


def sex(text: str) -> str:
    """Return ``female``, ``male``, ``other`` or "", of a word or of DICOM's F, M and O."""
    if not text:
        return ""
    try:
        return SEXES[text.lower()]
    except KeyError:
        raise ValueError("sex is none of female, male, other, F, M, O") from None


def age_band(text: str) -> str:
    """Return the band of an age in whole years."""
    if not text:
        return ""
    if not (text.isascii() and text.isdecimal() and int(text) <= OLDEST):
        raise ValueError(f"age is no whole number of years from 0 to {OLDEST}")
    years = int(text)
    return next((name for end, name in AGE_BANDS if years < end), "80+")


def dicom_age_band(text: str) -> str:
    """Return the band of a DICOM Age String (PS3.5 6.2), such as ``067Y``."""
    if not text:
        return ""
    found = DICOM_AGE.fullmatch(text)
    if found is None:
        raise ValueError("PatientAge is no DICOM age such as 067Y")
    return age_band(str(int(int(found[1]) / YEARS[found[2]])))


def code(text: str) -> str:
    """Return a short word without blanks: the name of a site, or an artefact's code."""
    if text and not CODE.fullmatch(text):
        raise ValueError("it is no code of up to 32 letters, digits, '.', '_', '+' or '-'")
    return text.lower()


def vendor(text: str) -> str:
    """Return ``hologic``, ``ge`` or ``other``; manufacturers spell themselves in many ways."""
    words = set(re.findall(r"[a-z]+", text.lower()))
    if not words:
        return ""
    if "hologic" in words:
        return "hologic"
    return "ge" if words & {"ge", "lunar"} else "other"


Parser = Callable[[str], str]

COLUMNS: Final[Mapping[str, tuple[str, Parser]]] = {
    "sex": ("sex", sex),
    "age": ("age_band", age_band),
    "vendor": ("vendor", vendor),
    "site": ("site", code),
    "artefact": ("artefact", code),
    "origin": ("origin", code),
}
"""A manifest's column, the attribute it becomes, and how."""
TAGS: Final[Mapping[str, tuple[str, Parser]]] = {
    "PatientSex": ("sex", sex),
    "PatientAge": ("age_band", dicom_age_band),
    "Manufacturer": ("vendor", vendor),
}
"""The same of DICOM keywords."""
