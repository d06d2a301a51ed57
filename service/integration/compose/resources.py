"""FHIR R4's data types, as far as results need them: plain members, none of them empty."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from service.integration.compose.uids import uid

Json = dict[str, Any]

OURS: Final = f"urn:oid:{uid('fhir')}"
"""The system of identifiers and codes that are ours."""
DICOM_UID: Final = "urn:dicom:uid"
UCUM: Final = "http://unitsofmeasure.org"
LOINC: Final = "http://loinc.org"
SNOMED: Final = "http://snomed.info/sct"
DCM: Final = "http://dicom.nema.org/resources/ontology/DCM"
TERMINOLOGY: Final = "http://terminology.hl7.org/CodeSystem"


def members(**values: Any) -> Json:
    """Return an element without members that are empty, which FHIR does not allow."""
    return {name: value for name, value in values.items() if value not in (None, "", [], {}, ())}


def coding(system: str, code: str, display: str = "") -> Json:
    return members(system=system, code=code, display=display)


def concept(system: str, code: str, display: str) -> Json:
    return {"coding": [coding(system, code, display)], "text": display}


def identifier(value: str, system: str = OURS, **more: Any) -> Json:
    return members(system=system, value=value, **more)


def instant(when: datetime) -> str:
    return when.isoformat(timespec="milliseconds")


def date(dicom: str) -> str:
    """Return a DICOM date as FHIR's; empty where it is none."""
    if len(dicom) != 8 or not dicom.isdigit():
        return ""
    return f"{dicom[:4]}-{dicom[4:6]}-{dicom[6:]}"


def narrative(*lines: str) -> Json:
    """Return what a reader without a program for it is shown."""
    rows = "".join(f"<p>{_escaped(one)}</p>" for one in lines)
    return {
        "status": "generated",
        "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{rows}</div>',
    }


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def entry(resource: Mapping[str, Any], url: str, method: str, query: str, once: str = "") -> Json:
    """Return one of a transaction's entries; ``once``: created unless this finds one (search)."""
    return {
        "fullUrl": url,
        "resource": dict(resource),
        "request": members(method=method, url=query, ifNoneExist=once),
    }
