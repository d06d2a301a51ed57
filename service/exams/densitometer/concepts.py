"""Which quantity and which region a coded concept of a report stands for.

By code where the standard has one: LOINC for a quantity of a region, DICOM's and SNOMED's codes
else. Where the scheme is private (PS3.16 section 8.2: its designator begins with 99) only the
code's meaning is public, and a closed list of meanings is understood. Whatever is neither stands
for nothing: LOINC's *femur* and *radius* name no region that a T-score is read at.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final, NamedTuple

Code = tuple[str, str, str]
"""Value, scheme and meaning."""

BMD, T_SCORE, Z_SCORE = "bmd_g_cm2", "t_score", "z_score"

SPINE: Final = "lumbar_spine"
PRIVATE: Final = "99"
_SNOMED: Final = frozenset({"SCT", "SRT", "SNM3"})

FINDING_SITE: Final = frozenset({"363698007", "G-C0E3"})
LATERALITY: Final = frozenset({"272741003", "G-C171"})
_SIDES: Final = {"7771000": "left", "G-A101": "left", "24028007": "right", "G-A100": "right"}

_VERTEBRAE: Final = ("L1", "L2", "L3", "L4")
_SITES: Final = {
    "122496007": "lumbar_spine", "T-11503": "lumbar_spine",
    "66794005": "L1", "T-11910": "L1", "14293000": "L2", "T-11920": "L2",
    "36470004": "L3", "T-11930": "L3", "11994002": "L4", "T-11940": "L4",
    "29627003": "femoral_neck", "29836001": "total_hip", "T-D2500": "total_hip",
}  # fmt: skip

_LOINC: Final[dict[str, tuple[str, str, str | None]]] = {
    "24966-4": (BMD, "lumbar_spine", None),
    "38267-1": (T_SCORE, "lumbar_spine", None),
    "85394-5": (Z_SCORE, "lumbar_spine", None),
    "38261-4": (BMD, "total_hip", None),
    "38264-8": (T_SCORE, "total_hip", None),
    "80933-5": (Z_SCORE, "total_hip", None),
    "46278-8": (BMD, "total_hip", "left"),
    "80946-7": (T_SCORE, "total_hip", "left"),
    "80938-4": (Z_SCORE, "total_hip", "left"),
    "46279-6": (BMD, "total_hip", "right"),
    "80945-9": (T_SCORE, "total_hip", "right"),
    "80937-6": (Z_SCORE, "total_hip", "right"),
}
_DICOM: Final = {"113071": Z_SCORE, "121416": Z_SCORE}

SNOMED_SITES: Final = {region: code for code, region in _SITES.items() if code.isdigit()}
SNOMED_SIDES: Final = {side: code for code, side in _SIDES.items() if code.isdigit()}
SNOMED_LATERALITY: Final = "272741003"
"""Regions and sides as what is told in turn names them."""
_LOINC_OF: Final = {stands_for: code for code, stands_for in _LOINC.items()}

_QUANTITIES: Final = {
    "bmd": BMD, "bonemineraldensity": BMD, "tscore": T_SCORE, "youngadulttscore": T_SCORE,
    "zscore": Z_SCORE, "agematchedzscore": Z_SCORE,
}  # fmt: skip
_REGIONS: Final = {
    "lumbarspine": "lumbar_spine", "apspine": "lumbar_spine", "paspine": "lumbar_spine",
    "aplumbarspine": "lumbar_spine", "palumbarspine": "lumbar_spine",
    "femoralneck": "femoral_neck", "femurneck": "femoral_neck",
    "totalhip": "total_hip", "hiptotal": "total_hip", "totalfemur": "total_hip",
    "femurtotal": "total_hip", "onethirdradius": "one_third_radius",
    "radius13": "one_third_radius", "13radius": "one_third_radius",
}  # fmt: skip
_HIP: Final = frozenset({"hip", "femur", "dualfemur", "proximalfemur"})
_SIDED: Final = re.compile(r"(.*?)(left|right)(.*)")
_ROW: Final = re.compile(r"L[1-4](\s*[-\N{EN DASH}]\s*L[1-4])?")

_UNITS: Final = {
    BMD: frozenset({"g/cm2", "g.cm-2", "g/cm^2", "g/cm\N{SUPERSCRIPT TWO}", "gm/cm2"}),
    T_SCORE: frozenset({"1", "{t-score}", "{tscore}", "{ratio}", "{sd}", "{s.d.}", "{score}"}),
    Z_SCORE: frozenset({"1", "{z-score}", "{zscore}", "{ratio}", "{sd}", "{s.d.}", "{score}"}),
}
_PRIVATE_UNITS: Final = frozenset({"", "1", "sd", "nounits", "tscore", "zscore"})


class Named(NamedTuple):
    """What a concept says: of a quantity, a region, its vertebrae and its side, those it does."""

    quantity: str | None = None
    region: str | None = None
    vertebrae: tuple[str, ...] | None = None
    side: str | None = None
    hip: bool = False
    """It is of a hip, whose *Neck* and *Total* are named apart."""


NOTHING: Final = Named()


def named(code: Code, within: Named = NOTHING) -> Named:
    """Return what ``code`` stands for below ``within``, which says what is around it."""
    value, scheme, meaning = code
    if scheme == "LN":
        return Named(*_spread(_LOINC.get(value)))
    if scheme == "DCM":
        return Named(quantity=_DICOM.get(value))
    if scheme in _SNOMED:
        return site(_SITES.get(value), _SIDES.get(value))
    return meant(meaning, within) if scheme.startswith(PRIVATE) else NOTHING


def meant(meaning: str, within: Named = NOTHING) -> Named:
    """Return what a private code's meaning stands for, or a row of a table."""
    row = vertebrae(meaning)
    if row is not None:
        return site(row[0] if len(row) == 1 else SPINE, None, row)
    letters = plain(meaning)
    if letters in _QUANTITIES:
        return Named(quantity=_QUANTITIES[letters])
    sided = _SIDED.fullmatch(letters)
    side = None if sided is None else sided[2]
    rest = letters if sided is None else sided[1] + sided[3]
    if rest in _HIP or (not rest and side):
        return Named(side=side, hip=rest in _HIP)
    return site(_REGIONS.get(rest) or _part(rest, within), side)


def _part(letters: str, within: Named) -> str | None:
    """Return the region that is called a neck or a total for what is around it alone."""
    if letters == "neck":
        return "femoral_neck" if within.hip else None
    if letters != "total":
        return None
    return "total_hip" if within.hip else within.region if within.region == SPINE else None


def site(region: str | None, side: str | None = None, row: tuple[str, ...] | None = None) -> Named:
    if region in _VERTEBRAE and row is None:
        row = (region,)
    return Named(region=region, side=side, vertebrae=row)


def vertebrae(text: str) -> tuple[str, ...] | None:
    """Return the vertebrae that ``L1-L4``, ``L2`` or ``L1, L3-L4`` name; None: it is no such."""
    found: set[str] = set()
    for part in text.upper().replace("(", " ").replace(")", " ").split(","):
        if _ROW.fullmatch(part.strip()) is None:
            return None
        ends = re.findall(r"L[1-4]", part)
        first, last = _VERTEBRAE.index(ends[0]), _VERTEBRAE.index(ends[-1])
        found.update(_VERTEBRAE[first : last + 1])
    return tuple(one for one in _VERTEBRAE if one in found) or None


def loinc(quantity: str, region: str, side: str | None = None) -> str | None:
    """Return LOINC's code of a quantity of a region; None where none of them names it."""
    return _LOINC_OF.get((quantity, region, side))


def is_unit(quantity: str, unit: Code) -> bool:
    """Whether ``quantity`` is told in ``unit``; none is converted into another."""
    value, scheme, meaning = unit
    if scheme == "UCUM":
        return value.casefold() in _UNITS[quantity]
    if not scheme.startswith(PRIVATE):
        return False
    said = {value.casefold().strip(), meaning.casefold().strip()}
    if quantity == BMD:
        return bool(said & _UNITS[BMD])
    return bool({plain(one) for one in said} & _PRIVATE_UNITS)


def plain(text: str) -> str:
    """Return the letters and digits of ``text`` alone, in lower case."""
    simple = unicodedata.normalize("NFKC", text).casefold()
    return "".join(one for one in simple if one.isalnum())


def _spread(
    found: tuple[str, str, str | None] | None,
) -> tuple[str | None, str | None, tuple[str, ...] | None, str | None]:
    if found is None:
        return None, None, None, None
    quantity, region, side = found
    return quantity, region, None, side
