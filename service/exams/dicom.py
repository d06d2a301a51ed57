"""What a DICOM file says of its exam and patient, beside its pixels.

The file is taken apart in a decoder's worker (:func:`head`), which imports this: keep that small.
What comes back are texts of strangers; :func:`service.exams.schemas.believed` judges each.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from typing import Any, Final, Literal

from pydicom import dcmread

LONGEST: Final = 256
"""Characters of a value that is looked at."""

KEYWORDS: Final = (
    "StudyDate", "AcquisitionDate", "Manufacturer", "DeviceSerialNumber", "PatientID",
    "IssuerOfPatientID", "PatientBirthDate", "PatientSex", "PatientAge", "SOPInstanceUID",
    "ManufacturerModelName",
)  # fmt: skip

Scope = Literal["none", "exam", "patient"]
"""How much of a file's own facts is kept: nothing, those of the exam, the patient as well."""

_DATE: Final = re.compile(r"(\d{4})\.?(\d\d)\.?(\d\d)", re.ASCII)
"""DA of PS3.5 section 6.2, and as ACR-NEMA wrote it."""
_YEARS: Final = re.compile(r"(\d{3})Y", re.ASCII)
_SEXES: Final = {"F": "female", "M": "male"}


def head(data: bytes) -> dict[str, str]:
    """Return the texts of :data:`KEYWORDS` in ``data``, without those that cannot be read.

    Nothing is decided by them here; a file that is no data set has none.
    """
    try:
        found = dcmread(
            io.BytesIO(data), stop_before_pixels=True, force=True, specific_tags=list(KEYWORDS)
        )
    except Exception:
        # Whatever a damaged file makes pydicom raise; its pixels say whether it is refused.
        return {}
    texts: dict[str, str] = {}
    for name in KEYWORDS:
        # A value is only understood when it is asked for, and may be damaged.
        with suppress(Exception):
            text = str(found.get(name) or "").strip(" \0")
            if 0 < len(text) <= LONGEST:
                texts[name] = text
    return texts


def told(texts: Mapping[str, str], scope: Scope) -> list[dict[str, Any]]:
    """Return what ``texts`` say, each as the JSON of one fact of an exam."""
    if scope == "none":
        return []
    acquired = _date(texts.get("StudyDate") or texts.get("AcquisitionDate", ""))
    found: list[dict[str, Any]] = []
    if acquired is not None:
        found.append({"acquired_on": acquired.isoformat()})
    if "Manufacturer" in texts and "DeviceSerialNumber" in texts:
        scanner = {"vendor": texts["Manufacturer"], "serial": texts["DeviceSerialNumber"]}
        found.append({"scanner": scanner})
    if texts.get("PatientSex") in _SEXES:
        found.append({"sex": _SEXES[texts["PatientSex"]]})
    age = _age(texts, acquired)
    if age is not None:
        found.append({"age_years": age})
    if scope == "patient" and "PatientID" in texts:
        issuer = texts.get("IssuerOfPatientID")
        named = {"patient_reference": texts["PatientID"]}
        found.append({**named, **({"patient_issuer": issuer} if issuer else {})})
    return found


def _date(text: str) -> date | None:
    parts = _DATE.fullmatch(text)
    try:
        return None if parts is None else date(*map(int, parts.groups()))
    except ValueError:
        return None


def _age(texts: Mapping[str, str], acquired: date | None) -> int | None:
    """Return whole years at the scan; the day of birth itself is not kept."""
    said = _YEARS.fullmatch(texts.get("PatientAge", ""))
    if said is not None:
        return int(said[1])
    born = _date(texts.get("PatientBirthDate", ""))
    return None if born is None else age_at(born, acquired)


def age_at(born: date, acquired: date | None) -> int | None:
    """Return whole years at a scan; None where its day is not known."""
    if acquired is None:
        return None
    return acquired.year - born.year - ((acquired.month, acquired.day) < (born.month, born.day))
