"""An entry of the trail as DICOM's audit message (PS3.15 A.5), in a syslog line (RFC 5424)."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any, Final
from xml.etree import ElementTree

from service.audit import fhir
from service.audit.schemas import Entry

PRIORITY: Final = 10 * 8 + 5
"""Facility 10, security and authorization; severity 5, notice (IHE ITI-20)."""

MESSAGE_ID: Final = "IHE+RFC-3881"

TYPES: Final[Mapping[str, tuple[str, str]]] = {
    "signed_in": ("110122", "Login"),
    "sign_in_failed": ("110122", "Login"),
    "signed_in_again": ("110122", "Login"),
    "signed_out": ("110123", "Logout"),
    "roles_changed": ("110136", "Security Roles Changed"),
    "glass_broken": ("110127", "Emergency Override Started"),
    "glass_ended": ("110138", "Emergency Override Stopped"),
    **dict.fromkeys(
        ("person_added", "person_disabled", "person_enabled", "password_changed", "link_made",
         "key_added", "key_renewed", "key_revoked", "program_ended", "factor_added",
         "factor_removed", "recovery_codes_made", "recovery_code_used", "passkey_added",
         "passkey_removed", "person_changed", "member_added", "member_removed"),
        ("110137", "User Security Attributes Changed"),
    ),
    "denied": ("110132", "Use of Restricted Function"),
}  # fmt: skip
"""Event types of CID 401 that DICOM has; the rest go by our own names alone."""

_PATIENT: Final = ("1", "1", ("2", "RFC-3881", "Patient Number"))
_REPORT: Final = ("2", "3", ("9", "RFC-3881", "Report Number"))
_USER: Final = ("1", "11", ("11", "RFC-3881", "User Identifier"))
_OTHER: Final = ("2", "20", ("12", "RFC-3881", "URI"))
_OBJECTS: Final = {"patient": _PATIENT, "result": _REPORT, "batch": _REPORT, "account": _USER}
"""Type, role and kind of id of what an entry is about: of a person, or of the system."""


def line(entry: Entry, host: str, source: str) -> bytes:
    """Return a syslog message, as it is without a frame."""
    at = entry.moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    head = f"<{PRIORITY}>1 {at} {_plain(host)} osteoserve - {MESSAGE_ID} - "
    # With the mark that says that it is UTF-8.
    return head.encode() + b"\xef\xbb\xbf" + xml(entry, source)


def framed(message: bytes) -> bytes:
    """Return a message as RFC 5425 counts it: its length, a blank, and it."""
    return str(len(message)).encode() + b" " + message


def xml(entry: Entry, source: str) -> bytes:
    """Return the AuditMessage element."""
    coded = fhir.coded(entry)
    detail: dict[str, Any] = json.loads(entry.detail)
    root = ElementTree.Element("AuditMessage")
    event = ElementTree.SubElement(
        root,
        "EventIdentification",
        EventActionCode=coded.action,
        EventDateTime=entry.moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        EventOutcomeIndicator="4" if coded.failed else "0",
    )
    _code(event, "EventID", coded.code, "DCM", coded.display)
    if entry.kind in TYPES:
        code, display = TYPES[entry.kind]
        _code(event, "EventTypeCode", code, "DCM", display)
    _code(event, "EventTypeCode", entry.kind, "99OSTEOSERVE", entry.kind)
    if "glass" in detail:
        _code(event, "PurposeOfUse", "BTG", "2.16.840.1.113883.5.8", "break the glass")
    _participants(root, entry)
    where = ElementTree.SubElement(
        root, "AuditSourceIdentification", AuditEnterpriseSiteID=entry.site, AuditSourceID=source
    )
    _code(where, "AuditSourceTypeCode", "4", "DCM", "Application Server")
    if entry.object_kind is not None:
        _object(root, entry, detail)
    told: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=False)
    return told


def _participants(root: ElementTree.Element, entry: Entry) -> None:
    who = {"UserID": str(entry.account_id or "nobody"), "UserIsRequestor": "true"}
    if entry.key_id is not None:
        who["AlternativeUserID"] = str(entry.key_id)
    if entry.address is not None:
        who |= {"NetworkAccessPointID": entry.address, "NetworkAccessPointTypeCode": "2"}
    ElementTree.SubElement(root, "ActiveParticipant", who)
    itself = ElementTree.SubElement(
        root, "ActiveParticipant", {"UserID": "osteoserve", "UserIsRequestor": "false"}
    )
    _code(itself, "RoleIDCode", "110150", "DCM", "Application")


def _object(root: ElementTree.Element, entry: Entry, detail: Mapping[str, Any]) -> None:
    kind, role, (code, system, text) = _OBJECTS.get(entry.object_kind or "", _OTHER)
    found = ElementTree.SubElement(
        root,
        "ParticipantObjectIdentification",
        ParticipantObjectID=entry.object_id or entry.object_kind or "",
        ParticipantObjectTypeCode=kind,
        ParticipantObjectTypeCodeRole=role,
    )
    _code(found, "ParticipantObjectIDTypeCode", code, system, text)
    ElementTree.SubElement(found, "ParticipantObjectName").text = entry.object_kind
    for name, value in detail.items():
        told = value if isinstance(value, str) else json.dumps(value)
        ElementTree.SubElement(
            found, "ParticipantObjectDetail", type=name, value=_base64(_printable(told))
        )


def _code(parent: ElementTree.Element, tag: str, code: str, system: str, text: str) -> None:
    ElementTree.SubElement(
        parent, tag, {"csd-code": code, "codeSystemName": system, "originalText": text}
    )


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _printable(text: str) -> str:
    """Return ``text`` without what ends a line or turns it round on a screen."""
    return "".join(one if one.isprintable() else " " for one in text)


def _plain(host: str) -> str:
    return "".join(one for one in host if "!" <= one <= "~")[:255] or "-"
