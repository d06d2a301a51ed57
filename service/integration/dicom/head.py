"""The head of a DICOM object: who, which study, which object. No pixel is decoded here.

Only elements of the outermost level are read, and of these the few that a result repeats
(:mod:`models.reading.elements`).
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from pydicom.charset import python_encoding
from pydicom.datadict import keyword_for_tag
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import Tag
from pydicom.uid import UID, ImplicitVRLittleEndian
from pydicom.valuerep import PersonName, validate_value

from models.image.errors import ScanError
from models.reading import elements
from service.integration.rules import TRAITS, Trait

KEYWORDS: Final = {
    "SpecificCharacterSet": 0x00080005,
    "SOPClassUID": 0x00080016,
    "SOPInstanceUID": 0x00080018,
    "StudyDate": 0x00080020,
    "StudyTime": 0x00080030,
    "AccessionNumber": 0x00080050,
    "Modality": 0x00080060,
    "Manufacturer": 0x00080070,
    "ReferringPhysicianName": 0x00080090,
    "PatientName": 0x00100010,
    "PatientID": 0x00100020,
    "IssuerOfPatientID": 0x00100021,
    "PatientBirthDate": 0x00100030,
    "PatientSex": 0x00100040,
    "StudyInstanceUID": 0x0020000D,
    "SeriesInstanceUID": 0x0020000E,
    "StudyID": 0x00200010,
    "PatientOrientation": 0x00200020,
    "Rows": 0x00280010,
}
"""What is read; everything that a result repeats of its source."""

LONGEST: Final = 1024
"""Bytes of a value that is read."""
_UID: Final = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*))+")
_OPTIONAL: Final = ("IssuerOfPatientID",)
_SEXES: Final = ("M", "F", "O")


class HeadError(Exception):
    """The object cannot be understood; the message quotes nothing of it."""


@dataclass(frozen=True, kw_only=True)
class Head:
    """What is known of an object without looking at its pixels."""

    sop_class_uid: str
    sop_uid: str
    series_uid: str
    study_uid: str
    patient: str
    """Patient ID and issuer, as one text that is the same for the same patient."""
    manufacturer: str
    is_image: bool
    traits: Mapping[Trait, str]
    """What rules may ask for, as far as it says so."""


def read(data: bytes, syntax: str) -> Head:
    """Return the head of the data set ``data``, encoded by transfer syntax ``syntax``.

    Raises :class:`HeadError`.
    """
    found = elements_of(data, syntax)
    uids = {
        name: uid(text(found, name))
        for name in ("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID")
    }
    patient, issuer = text(found, "PatientID"), text(found, "IssuerOfPatientID")
    if max(len(patient), len(issuer)) > 64:
        raise HeadError("Patient ID or its issuer is longer than 64 characters.")
    return Head(
        sop_class_uid=uids["SOPClassUID"],
        sop_uid=uids["SOPInstanceUID"],
        series_uid=uids["SeriesInstanceUID"],
        study_uid=uids["StudyInstanceUID"],
        patient=f"{patient}\\{issuer}",
        manufacturer=text(found, "Manufacturer"),
        is_image=KEYWORDS["Rows"] in found,
        traits={trait: text(found, keyword_for_tag(tag)) for trait, tag in TRAITS.items()},
    )


def source(data: bytes, syntax: str) -> Dataset:
    """Return of the data set ``data`` what a result repeats, complete and valid.

    What a scanner left out or wrote wrongly is empty. Raises :class:`HeadError`.
    """
    found, clean = elements_of(data, syntax), Dataset()
    for name, tag in KEYWORDS.items():
        if name in ("SpecificCharacterSet", "Rows"):
            continue
        value = text(found, name)
        try:
            element = found[tag] if value else None
            if element is not None:
                for one in value.split("\\"):
                    validate_value(element.VR, one, 2)
        except (ValueError, KeyError):
            value = ""
        if name == "PatientSex" and value not in _SEXES:
            value = ""
        if value or name not in _OPTIONAL:
            setattr(clean, name, value.split("\\") if name == "PatientOrientation" else value)
    texts = [str(element.value) for element in clean if isinstance(element.value, str | PersonName)]
    charset = _charset(text(found, "SpecificCharacterSet"), "".join(texts))
    if charset:
        clean.SpecificCharacterSet = charset
    return clean


def _charset(said: str, letters: str) -> str:
    """Return the character set that ``letters`` are written in: the source's, or Unicode's."""
    if letters.isascii() and not said:
        return ""
    if said in python_encoding and said.startswith("ISO_IR"):
        with suppress(UnicodeEncodeError):
            letters.encode(python_encoding[said])
            return said
    return "ISO_IR 192"


def uid(value: str) -> str:
    """Return ``value`` if it is a UID (PS3.5 section 9.1). Raises :class:`HeadError`."""
    if len(value) > 64 or not value.isascii() or _UID.fullmatch(value) is None:
        raise HeadError("A UID is missing, or is made of something else than numbers and dots.")
    return value


def text(found: Dataset, name: str) -> str:
    """Return an element as text, its values joined as DICOM does; empty where it is not there."""
    try:
        value = found.get(name)
        values = list(value) if isinstance(value, MultiValue) else [value]
        said = "\\".join(str(one) for one in values if one is not None)
    except Exception:
        # Whatever a damaged value makes pydicom raise.
        raise HeadError("An element of the object's head cannot be read.") from None
    return said.strip(" \0")


def hush() -> None:
    """Keep what pydicom and highdicom say of values to themselves, in the whole process and from
    now on: it is a patient's name, at times.

    Locally it cannot be done: ``warnings.catch_warnings`` is of the process too, and puts back
    what another thread relies on.
    """
    for name in ("highdicom", "pydicom"):
        warnings.filterwarnings("ignore", module=rf"{name}\.")
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def elements_of(data: bytes, syntax: str) -> Dataset:
    """Return the elements of :data:`KEYWORDS` in ``data``, and those that rules may ask for.

    Raises :class:`HeadError`.
    """
    hush()
    implicit = UID(syntax) == ImplicitVRLittleEndian
    wanted = frozenset((*KEYWORDS.values(), *TRAITS.values()))
    try:
        found = [
            RawDataElement(
                tag=Tag(one.tag),
                VR=one.vr,
                length=one.stop - one.start,
                value=data[one.start : one.stop],
                value_tell=one.start,
                is_implicit_VR=implicit,
                is_little_endian=True,
            )
            for one in elements.Source(data).elements(0, explicit=not implicit)
            if one.tag in wanted and one.stop - one.start <= LONGEST
        ]
    except ScanError:
        raise HeadError("The object is no data set, or is cut short.") from None
    return Dataset({one.tag: one for one in found})
